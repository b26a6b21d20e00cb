#include "entente/base/executor.hpp"

namespace entente {

namespace {

class Inline final : public Executor {
public:
    [[nodiscard]] unsigned width() const noexcept override { return 1; }
    void run(std::size_t units, Work work) override {
        for (std::size_t unit = 0; unit < units; ++unit) work(unit, 0);
    }
};

}  // namespace

Executor& inline_executor() noexcept {
    static Inline executor;
    return executor;
}

}  // namespace entente
