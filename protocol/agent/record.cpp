#include "protocol/agent/record.hpp"

#include "protocol/agent/record_crypto.hpp"

#include <algorithm>
#include <cstring>

namespace picket::protocol {

namespace {

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string_view hex_view(const char* digest) noexcept { return {digest, 32}; }

} // namespace

std::string_view name_of(record_errc code) noexcept {
  switch (code) {
  case record_errc::bad_prefix:
    return "bad_prefix";
  case record_errc::bad_tag:
    return "bad_tag";
  case record_errc::bad_length:
    return "bad_length";
  case record_errc::bad_padding:
    return "bad_padding";
  case record_errc::wrong_key:
    return "wrong_key";
  case record_errc::bad_compression:
    return "bad_compression";
  case record_errc::too_large:
    return "too_large";
  case record_errc::too_short:
    return "too_short";
  case record_errc::bad_checksum:
    return "bad_checksum";
  case record_errc::bad_header:
    return "bad_header";
  case record_errc::cipher_unavailable:
    return "cipher_unavailable";
  }
  return "unknown";
}

tl::expected<record_head, record_errc> parse_record_head(byte_view record) noexcept {
  record_head head;
  auto text = as_text(record);
  if (!text.empty() && text[0] == '!') {
    std::size_t end = 1;
    while (end < text.size() && is_digit(text[end]))
      ++end;
    if (end == 1 || end >= text.size() || text[end] != '!') return tl::unexpected(record_errc::bad_prefix);
    head.id = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
  }
  head.cipher = record_cipher::blowfish;
  if (text.substr(0, 4) == "#AES") {
    head.cipher = record_cipher::aes;
    text.remove_prefix(4);
  }
  if (text.empty() || text[0] != ':') return tl::unexpected(record_errc::bad_tag);
  head.ciphertext = as_bytes(text.substr(1));
  return head;
}

std::optional<agent_id> agent_id_of(std::string_view digits) noexcept {
  if (digits.size() < 3 || digits.size() > 8) return std::nullopt;
  if (digits.size() > 3 && digits[0] == '0') return std::nullopt;
  agent_id id = 0;
  for (char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    id = id * 10 + static_cast<agent_id>(c - '0');
  }
  if (id == 0) return std::nullopt;
  return id;
}

record_key derive_record_key(std::string_view id, std::string_view name, std::string_view key) {
  char a[32];
  char b[32];
  char c[32];
  record_key derived;
  crypto::md5_hex(name, a);
  crypto::md5_hex(id, b);
  crypto::md5_hex(hex_view(a), hex_view(b), c);
  crypto::md5_hex(key, derived.data());
  std::memcpy(derived.data() + 32, c, derived.size() - 32);
  return derived;
}

} // namespace picket::protocol
