#pragma once

#include "protocol/agent/record.hpp"

#include <memory>

// The ciphers and the digest behind record.cpp; no other file needs this.

namespace picket::protocol::crypto {

/// MD5 as 32 lower-case hex digits. The low-level functions cost a third of the EVP ones on short text.
void md5_hex(std::string_view text, char* out32) noexcept;
/// The digest of two texts joined.
void md5_hex(std::string_view first, std::string_view second, char* out32) noexcept;

enum class direction { decrypt, encrypt };

/// AES-256-CBC and Blowfish-CBC with the protocol's keys and fixed vectors, without padding.
class block_cipher {
public:
  block_cipher(const record_key& key, direction way);
  block_cipher(const block_cipher&) = delete;
  block_cipher& operator=(const block_cipher&) = delete;
  ~block_cipher();

  static bool available(record_cipher cipher) noexcept;
  static std::size_t block_bytes(record_cipher cipher) noexcept {
    return cipher == record_cipher::aes ? 16 : 8;
  }
  /// Transforms whole blocks; false if the library refuses.
  bool run(record_cipher cipher, byte_view in, std::byte* out) noexcept;

private:
  bool run_aes(byte_view in, std::byte* out) noexcept;
  bool run_blowfish(byte_view in, std::byte* out) noexcept;

  struct aes_context;
  struct blowfish_schedule;

  record_key key_;
  direction way_;
  std::unique_ptr<aes_context> aes_;
  std::unique_ptr<blowfish_schedule> blowfish_; ///< made when first needed: it costs 30 us and 4 KiB
};

} // namespace picket::protocol::crypto
