#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace picket::engine {

/// Key of `keyed_hash`; secret where the hashed texts are chosen by strangers.
struct hash_seed {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
  friend bool operator==(const hash_seed&, const hash_seed&) = default;
};

namespace detail {

inline std::uint64_t rotated(std::uint64_t x, int by) noexcept { return x << by | x >> (64 - by); }

inline void sip_round(std::uint64_t (&v)[4]) noexcept {
  v[0] += v[1];
  v[2] += v[3];
  v[1] = rotated(v[1], 13) ^ v[0];
  v[3] = rotated(v[3], 16) ^ v[2];
  v[0] = rotated(v[0], 32) + v[3];
  v[2] += v[1];
  v[3] = rotated(v[3], 21) ^ v[0];
  v[1] = rotated(v[1], 17) ^ v[2];
  v[2] = rotated(v[2], 32);
}

} // namespace detail

/// SipHash-1-3: who does not know the seed cannot choose texts that collide.
inline std::uint64_t keyed_hash(std::string_view text, const hash_seed& seed) noexcept {
  std::uint64_t v[4] = {seed.a ^ 0x736f6d6570736575ull, seed.b ^ 0x646f72616e646f6dull,
                        seed.a ^ 0x6c7967656e657261ull, seed.b ^ 0x7465646279746573ull};
  const std::size_t whole = text.size() / 8 * 8;
  for (std::size_t at = 0; at < whole; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    v[3] ^= word;
    detail::sip_round(v);
    v[0] ^= word;
  }
  std::uint64_t last = static_cast<std::uint64_t>(text.size()) << 56;
  for (std::size_t i = whole; i < text.size(); ++i)
    last |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[i])) << (8 * (i - whole));
  v[3] ^= last;
  detail::sip_round(v);
  v[0] ^= last;
  v[2] ^= 0xFF;
  for (int i = 0; i < 3; ++i)
    detail::sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

} // namespace picket::engine
