#include "net/join_token.hpp"

#include <algorithm>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/bytes.hpp"

namespace picket::net {

namespace {

constexpr std::string_view prefix = "picket-join-1.";
constexpr std::size_t half_digits = 32;
constexpr std::size_t check_digits = 4;
constexpr std::size_t token_size = prefix.size() + half_digits + 1 + half_digits + 1 + check_digits;

byte_view view_of(const std::array<std::uint8_t, 16>& half) {
  return {reinterpret_cast<const std::byte*>(half.data()), half.size()};
}

std::string sha256_hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) != 1) return {};
  return to_hex({reinterpret_cast<const std::byte*>(digest), size});
}

bool read_half(std::string_view digits, std::array<std::uint8_t, 16>& into) {
  auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != into.size()) return false;
  std::transform(bytes->begin(), bytes->end(), into.begin(),
                 [](std::byte one) { return std::to_integer<std::uint8_t>(one); });
  return true;
}

std::string without_check(const join_token& token) {
  return std::string{prefix} + to_hex(view_of(token.secret)) + "." + to_hex(view_of(token.ca)) + ".";
}

tl::unexpected<error> unreadable(const char* why) {
  return fail(errc::join_token_invalid, why, "join token");
}

} // namespace

result<join_token> make_join_token(std::string_view ca_fingerprint) {
  join_token token;
  if (ca_fingerprint.size() != 64 || !read_half(ca_fingerprint.substr(0, half_digits), token.ca))
    return fail(errc::invalid_argument, "no fingerprint of a CA");
  if (RAND_bytes(token.secret.data(), static_cast<int>(token.secret.size())) != 1)
    return fail(errc::internal, "no random numbers");
  return token;
}

std::string to_text(const join_token& token) {
  auto text = without_check(token);
  return text + sha256_hex(text).substr(0, check_digits);
}

result<join_token> parse_join_token(std::string_view text) {
  constexpr std::string_view white = " \t\r\n";
  auto begin = text.find_first_not_of(white);
  if (begin == std::string_view::npos) return unreadable("it is empty");
  text = text.substr(begin, text.find_last_not_of(white) - begin + 1);
  if (text.substr(0, prefix.size()) != prefix) return unreadable("it does not begin with 'picket-join-1.'");
  if (text.size() != token_size) return unreadable("it has the wrong length");
  auto rest = text.substr(prefix.size());
  join_token token;
  if (rest[half_digits] != '.' || rest[2 * half_digits + 1] != '.'
      || !read_half(rest.substr(0, half_digits), token.secret)
      || !read_half(rest.substr(half_digits + 1, half_digits), token.ca))
    return unreadable("it has a wrong letter");
  std::string check{rest.substr(2 * half_digits + 2)};
  std::transform(check.begin(), check.end(), check.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (check != sha256_hex(without_check(token)).substr(0, check_digits))
    return unreadable("a letter of it was changed");
  return token;
}

bool pins(const join_token& token, std::string_view ca_fingerprint) noexcept {
  std::array<std::uint8_t, 16> half;
  if (ca_fingerprint.size() != 64 || !read_half(ca_fingerprint.substr(0, half_digits), half)) return false;
  return CRYPTO_memcmp(half.data(), token.ca.data(), half.size()) == 0;
}

std::string digest_of(const join_token& token) { return sha256_hex(as_text(view_of(token.secret))); }

bool same_secret(std::string_view one, std::string_view other) noexcept {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

} // namespace picket::net
