#include "protocol/agent/record.hpp"

#include "protocol/agent/record_crypto.hpp"

#include <cstring>

#include <libdeflate.h>

namespace picket::protocol {

namespace {

constexpr std::size_t max_inflated_bytes = 65'536;
constexpr std::size_t digest_digits = 32;
constexpr std::size_t header_bytes = 21; // rand 5, global 10, ":", local 4, ":"

struct decompressor {
  libdeflate_decompressor* raw = libdeflate_alloc_decompressor();

  decompressor() = default;
  decompressor(const decompressor&) = delete;
  decompressor& operator=(const decompressor&) = delete;
  ~decompressor() { libdeflate_free_decompressor(raw); }
};

/// The number that the digits spell; false if one is none.
bool read_digits(std::string_view digits, std::uint32_t& number) noexcept {
  std::uint64_t value = 0;
  for (char c : digits) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (value > UINT32_MAX) return false;
  number = static_cast<std::uint32_t>(value);
  return true;
}

/// Verifies digest and counters of an inflated body (agent-protocol 2.7, steps 3 to 7).
tl::expected<opened_record, record_errc> read_body(std::string_view inflated) noexcept {
  if (inflated.size() < digest_digits + header_bytes) return tl::unexpected(record_errc::too_short);
  auto body = inflated.substr(digest_digits);
  char digest[digest_digits];
  crypto::md5_hex(body, digest);
  if (std::memcmp(digest, inflated.data(), digest_digits) != 0)
    return tl::unexpected(record_errc::bad_checksum);
  opened_record record;
  if (body[15] != ':' || body[20] != ':' || !read_digits(body.substr(5, 10), record.counters.global)
      || !read_digits(body.substr(16, 4), record.counters.local))
    return tl::unexpected(record_errc::bad_header);
  record.message = body.substr(header_bytes);
  return record;
}

/// The form before compression: the checksum covers what follows the digest; time and count are the pair.
tl::expected<opened_record, record_errc> read_uncompressed(std::string_view plain) noexcept {
  // ":" digest(32) time(10) one byte count(4) one byte … ":" message
  if (plain.size() < 1 + digest_digits + 16) return tl::unexpected(record_errc::too_short);
  auto body = plain.substr(1 + digest_digits);
  char digest[digest_digits];
  crypto::md5_hex(body, digest);
  if (std::memcmp(digest, plain.data() + 1, digest_digits) != 0)
    return tl::unexpected(record_errc::bad_checksum);
  opened_record record;
  if (!read_digits(body.substr(0, 10), record.counters.global)
      || !read_digits(body.substr(11, 4), record.counters.local))
    return tl::unexpected(record_errc::bad_header);
  auto separator = body.find(':', 15);
  if (separator == std::string_view::npos) return tl::unexpected(record_errc::bad_header);
  record.message = body.substr(separator + 1);
  return record;
}

} // namespace

struct open_scratch::buffers {
  decompressor inflate;
  byte_buffer plain = byte_buffer(max_record_bytes + message_slack_bytes);
  std::string inflated = std::string(max_inflated_bytes + message_slack_bytes, '\0');
};

open_scratch::open_scratch()
    : buffers_(std::make_unique<buffers>()) {}
open_scratch::open_scratch(open_scratch&&) noexcept = default;
open_scratch& open_scratch::operator=(open_scratch&&) noexcept = default;
open_scratch::~open_scratch() = default;

struct record_opener::contexts {
  explicit contexts(const record_key& key)
      : cipher(key, crypto::direction::decrypt) {}
  crypto::block_cipher cipher;
};

record_opener::record_opener(const record_key& key)
    : contexts_(std::make_unique<contexts>(key)) {}
record_opener::record_opener(record_opener&&) noexcept = default;
record_opener& record_opener::operator=(record_opener&&) noexcept = default;
record_opener::~record_opener() = default;

tl::expected<opened_record, record_errc> record_opener::open(record_cipher cipher, byte_view ciphertext,
                                                             open_scratch& scratch) noexcept {
  auto& memory = *scratch.buffers_;
  const auto block = crypto::block_cipher::block_bytes(cipher);
  if (ciphertext.empty() || ciphertext.size() % block != 0 || ciphertext.size() > max_record_bytes)
    return tl::unexpected(record_errc::bad_length);
  if (!crypto::block_cipher::available(cipher)) return tl::unexpected(record_errc::cipher_unavailable);
  if (!contexts_->cipher.run(cipher, ciphertext, memory.plain.data()))
    return tl::unexpected(record_errc::wrong_key);

  auto plain = as_text(byte_view{memory.plain}.first(ciphertext.size()));
  if (cipher == record_cipher::aes) {
    auto padding = static_cast<unsigned char>(plain.back());
    if (padding == 0 || padding > block) return tl::unexpected(record_errc::bad_padding);
    for (auto c : plain.substr(plain.size() - padding))
      if (static_cast<unsigned char>(c) != padding) return tl::unexpected(record_errc::bad_padding);
    plain.remove_suffix(padding);
  }
  if (plain.empty()) return tl::unexpected(record_errc::wrong_key);
  if (plain[0] == ':') return read_uncompressed(plain);
  if (plain[0] != '!') return tl::unexpected(record_errc::wrong_key);
  auto stream = plain.substr(std::min(plain.find_first_not_of('!'), plain.size()));
  std::size_t used = 0;
  std::size_t inflated = 0;
  auto done = libdeflate_zlib_decompress_ex(memory.inflate.raw, stream.data(), stream.size(),
                                            memory.inflated.data(), max_inflated_bytes, &used, &inflated);
  if (done == LIBDEFLATE_INSUFFICIENT_SPACE) return tl::unexpected(record_errc::too_large);
  if (done != LIBDEFLATE_SUCCESS) return tl::unexpected(record_errc::bad_compression);
  return read_body(std::string_view{memory.inflated}.substr(0, inflated));
}

} // namespace picket::protocol
