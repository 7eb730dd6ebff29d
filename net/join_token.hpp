#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace picket::net {

/// What a new node brings along: a secret that lets it in once, and the half of the CA's fingerprint by which
/// it knows that it talks to the right cluster (registry 5).
struct join_token {
  std::array<std::uint8_t, 16> secret{};
  std::array<std::uint8_t, 16> ca{}; ///< first 128 bits of the SHA-256 of the CA's certificate

  friend bool operator==(const join_token&, const join_token&) = delete; ///< see `same_secret`
};

/// A new token for the CA with this fingerprint (`fingerprint_of`). Errors: invalid_argument (no
/// fingerprint), internal (no random numbers).
result<join_token> make_join_token(std::string_view ca_fingerprint);

/// "picket-join-1.<32 hex digits>.<32 hex digits>.<4 hex digits>": secret, CA, and a check against slips of
/// copying. Secret.
std::string to_text(const join_token& token);
/// White space around it is passed over, letters of either case are read. Errors: join_token_invalid; the
/// text of the error never has a part of the token in it.
result<join_token> parse_join_token(std::string_view text);

/// Whether the CA with this fingerprint is the token's.
bool pins(const join_token& token, std::string_view ca_fingerprint) noexcept;

/// SHA-256 of the secret, 64 hex digits: what is stored of a token.
std::string digest_of(const join_token& token);

/// Compares two digests, or other secrets, in a time that does not depend on where they differ.
bool same_secret(std::string_view one, std::string_view other) noexcept;

} // namespace picket::net
