// Max pooling of channels-last pictures.

void max_pool(const Pool& s) {
    for (size_t y = 0; y < s.height; ++y) {
        for (size_t x = 0; x < s.width; ++x) {
            const float* corner = s.in + y * s.pool_height * s.in_row + x * s.pool_width * s.in_pixel;
            float* best = s.out + y * s.out_row + x * s.out_pixel;
            std::uint8_t* where = s.index + (y * s.width + x) * s.out_pixel;
            size_t c = 0;
            for (; c + lanes <= s.channels; c += lanes) {
                Vector top = load(corner + c);
                Mask place = all_lanes(0);
                int number = 0;
                for (size_t py = 0; py < s.pool_height; ++py) {
                    for (size_t px = 0; px < s.pool_width; ++px, ++number) {
                        const Vector pixel = load(corner + py * s.in_row + px * s.in_pixel + c);
                        const Mask more = greater(pixel, top);
                        top = pick(more, pixel, top);
                        place = pick_number(more, all_lanes(number), place);
                    }
                }
                if (s.relu) {
                    const Mask alive = greater(top, Vector{});
                    top = pick(alive, top, Vector{});
                    place = pick_number(alive, place, all_lanes(no_maximum));
                }
                store(best + c, top);
                for (size_t l = 0; l < lanes; ++l) where[c + l] = static_cast<std::uint8_t>(lane(place, l));
            }
            for (; c < s.channels; ++c) {
                float top = corner[c];
                int place = 0;
                int number = 0;
                for (size_t py = 0; py < s.pool_height; ++py) {
                    for (size_t px = 0; px < s.pool_width; ++px, ++number) {
                        const float pixel = corner[py * s.in_row + px * s.in_pixel + c];
                        if (pixel > top) {
                            top = pixel;
                            place = number;
                        }
                    }
                }
                if (s.relu && !(top > 0.0f)) {
                    top = 0.0f;
                    place = no_maximum;
                }
                best[c] = top;
                where[c] = static_cast<std::uint8_t>(place);
            }
        }
    }
}

void max_pool_backward(const Pool& s, float* in) {
    for (size_t y = 0; y < s.height; ++y) {
        for (size_t x = 0; x < s.width; ++x) {
            float* corner = in + y * s.pool_height * s.in_row + x * s.pool_width * s.in_pixel;
            const float* from = s.out + y * s.out_row + x * s.out_pixel;
            const std::uint8_t* where = s.index + (y * s.width + x) * s.out_pixel;
            size_t number = 0;
            for (size_t py = 0; py < s.pool_height; ++py) {
                for (size_t px = 0; px < s.pool_width; ++px, ++number) {
                    float* pixel = corner + py * s.in_row + px * s.in_pixel;
                    for (size_t c = 0; c < s.channels; ++c) pixel[c] = where[c] == number ? from[c] : 0.0f;
                }
            }
        }
    }
}
