// Made by make_proof.go. Leaf i holds the text "entry i"; a digest of hashes is SHA-256 of them one after the other.
#pragma once

namespace golden {
struct Root { unsigned size; const char* hash; };
inline constexpr Root roots[] = {
    {1, "773885a613489e24ce2cf76199d6a423f042e4bbf12d7eecee912ef276c65701"},
    {2, "5a47662fd8a317d96049a3f9f47c55dc67ca66051baa3683dbb19b2fe09a07b0"},
    {3, "94fbd0dd836f50301692e6d0eade728ee19ec52bfff1606ed807c8575d5aaa19"},
    {7, "98c97f0ba3175cd08b031dd084b9dc4e649b64d1a28e6ea694646503173ab587"},
    {255, "cf66793e6329dff242eb3cee0a6f36ad3e3a196dcc573a1ec775e102be863f1c"},
    {256, "da6596d95369f5fef322ab8e4e0da3b0b50236aa9c8a3b1d246f7411c9e2e32e"},
    {257, "5c1fdfe835358022f2392de478dbe053fc130cfe1d3a082879a90cf6bf14bf7e"},
    {600, "e8a804af596789ed4f53942e294cfe44d5bed4c7140c7f0f5fa52c0c122232d6"},
    {1000, "346c6b9cb89c4b76fac9dcb20cda86e3a01c0a57417c139028eacd4538fde95b"},
};
struct Proof { unsigned first, second, hashes; const char* digest; };
inline constexpr Proof inclusions[] = {  // index, size
    {0, 1, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {0, 7, 3, "826120f46a1c0122aa9e1cfb8208acfd8e28b901353813b5ced14652b5374490"},
    {6, 7, 2, "3c054d8897f4c7a44d95b43f2eca0f39b590b359b1cfce6a29bf99e2d75ad27f"},
    {3, 257, 9, "d6df1eec2dc2a2791c435a4ab7e36bdaf4f32721f2c96cfac5d508dcccdd44a3"},
    {256, 257, 1, "f01c757ba6dc86839ede8e694a0e86f97ea9ffca04a34404236c7f8cb374794a"},
    {511, 600, 10, "0f5da1776d944322b9cfe5d1984e0412c6eb153e859d72e7880407116ed83be7"},
    {999, 1000, 8, "147c54b36f7938fd0d8a2dd254124c0ae0b7c5efc30bbe7844420e386ce9bc39"},
    {123, 1000, 10, "fe89714d9580b4d2143e2ab17b4f823906dbf98399fd3e6cec16a9a6cd1ee323"},
};
inline constexpr Proof consistencies[] = {  // from, to
    {1, 2, 1, "1e30c9fb18f7eb86837f1f1e3762ad7f5bc0b04fdade58504d6b6dd0c72320ae"},
    {3, 7, 4, "c63bd033fc58b84a05f85c36fbb0b1574aa6d888d5a872f2832e05de027ce706"},
    {4, 8, 1, "033bacfc632c02aa5f61e1e9360e062a2a33714d598a9ec4ea82a88a90e7d490"},
    {6, 7, 3, "ce2e6bf8e421b9a0f21525790def94043601469dc714f233bb56583a8badbca8"},
    {255, 256, 9, "510520696fb2e3e4ce814c3141cd58f417eed4dc0b60fce036918f74dffd0e06"},
    {256, 257, 1, "e471cb60f5e249c2ae5c120ede20b0d899a3b0bd4be9f970ee38b7836908b41d"},
    {257, 600, 11, "5c6376f042ddbab3bfe7b42d3cc2aea4625868855a9d72af2e4001270acb9509"},
    {512, 1000, 1, "dafe87ef449138a7a92fa710216a61a92a9f9b973f7955f72010af6c8228d073"},
    {999, 1000, 9, "f346ee5b6ba34cd7590cd1e3c827e8f87ac407d290685a699277e5c6e3dc1d1f"},
};
struct TileDigest { unsigned level, index, width; const char* digest; };
inline constexpr TileDigest tiles[] = {  // of the first 600
    {0, 0, 256, "b0f6ca2ff42508faf8c6bb4ea8bb9c74243b19d4174fdc4fd17bdad9099e605e"},
    {0, 2, 88, "ed05608d4fe01f6be650d6782fd5c38413664ab3c7e58b2ce06d07811ef7abbe"},
    {1, 0, 2, "8152514257f01fd795091dbf4b4ca2b407d81384d1a2813483012d733fdd0585"},
};
// The seed is the bytes 0 to 31.
inline constexpr const char* verifier_key = "entente-log/bearings+6bb7fd4b+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
inline constexpr const char* checkpoint =
    "entente-log/bearings\n600\n6KgEr1lnie1PU5QuKUz+RNW+1McUDH8PX6UsDBIiMtY=\n\n\u2014 entente-log/bearings a7f9S4HJH/Lx7LWA6Hu9xCTfYDP3Ct1L8YFydiYsf7GvBq5dAN9n1a6WG6VdzoS8Vryl1D4p6k7Gev+XZvjhTDhpZgk=\n";
inline constexpr const char* cosignature_line =
    "\u2014 plant-a fGfAVgAAAABkGFDLjnbxVspOvEb+eLlzAWuGuxIqe5nQ/1Dy1mA6nW07LpOOyWizCANmZi+V2uvwCaylVVzutGMcV0Cvv5eWGepdBA==\n";
inline constexpr const char* dsse_signature = "14306e8611991eb41a2e71c0fb1603a333412ad3914d3dc41611895dccc2861f0f0aa078ef5b03112cf2db382e30640e93c0fe223da16ff7a8524ab173faa00a";  // of "DSSEv1 29 http://example.com/HelloWorld 11 hello world"
}  // namespace golden
