// The low-level MD5 and Blowfish functions are deprecated in favour of EVP, which needs a provider for
// Blowfish that many systems do not load, and is three times as slow for digests of short texts.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "protocol/agent/record_crypto.hpp"

#include <cstring>

#include <openssl/evp.h>
#include <openssl/md5.h>
#ifndef OPENSSL_NO_BF
#include <openssl/blowfish.h>
#endif

namespace picket::protocol::crypto {

namespace {

constexpr unsigned char aes_vector[] = "FEDCBA0987654321";
constexpr std::size_t aes_key_bytes = 32;

void hex_of(const unsigned char* digest, char* out32) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  for (int i = 0; i < MD5_DIGEST_LENGTH; ++i) {
    out32[2 * i] = digits[digest[i] >> 4U];
    out32[2 * i + 1] = digits[digest[i] & 15U];
  }
}

} // namespace

void md5_hex(std::string_view text, char* out32) noexcept { md5_hex(text, {}, out32); }

void md5_hex(std::string_view first, std::string_view second, char* out32) noexcept {
  MD5_CTX context;
  unsigned char digest[MD5_DIGEST_LENGTH];
  MD5_Init(&context);
  MD5_Update(&context, first.data(), first.size());
  MD5_Update(&context, second.data(), second.size());
  MD5_Final(digest, &context);
  hex_of(digest, out32);
}

struct block_cipher::aes_context {
  EVP_CIPHER_CTX* evp = EVP_CIPHER_CTX_new();

  aes_context() = default;
  aes_context(const aes_context&) = delete;
  aes_context& operator=(const aes_context&) = delete;
  ~aes_context() { EVP_CIPHER_CTX_free(evp); }
};

struct block_cipher::blowfish_schedule {
#ifndef OPENSSL_NO_BF
  BF_KEY key;
#endif
};

block_cipher::block_cipher(const record_key& key, direction way)
    : key_(key)
    , way_(way) {}
block_cipher::~block_cipher() = default;

bool block_cipher::available(record_cipher cipher) noexcept {
#ifdef OPENSSL_NO_BF
  return cipher == record_cipher::aes;
#else
  static_cast<void>(cipher);
  return true;
#endif
}

bool block_cipher::run(record_cipher cipher, byte_view in, std::byte* out) noexcept {
  return cipher == record_cipher::aes ? run_aes(in, out) : run_blowfish(in, out);
}

bool block_cipher::run_aes(byte_view in, std::byte* out) noexcept {
  const int encrypt = way_ == direction::encrypt ? 1 : 0;
  if (!aes_) {
    auto made = std::make_unique<aes_context>();
    const auto* key = reinterpret_cast<const unsigned char*>(key_.data());
    static_assert(std::tuple_size_v<record_key> >= aes_key_bytes);
    if (made->evp == nullptr
        || EVP_CipherInit_ex(made->evp, EVP_aes_256_cbc(), nullptr, key, aes_vector, encrypt) != 1)
      return false;
    aes_ = std::move(made);
  } else if (EVP_CipherInit_ex(aes_->evp, nullptr, nullptr, nullptr, aes_vector, -1) != 1) {
    return false; // every record starts again with the fixed vector
  }
  EVP_CIPHER_CTX_set_padding(aes_->evp, 0);
  int written = 0;
  return EVP_CipherUpdate(aes_->evp, reinterpret_cast<unsigned char*>(out), &written,
                          reinterpret_cast<const unsigned char*>(in.data()), static_cast<int>(in.size()))
             == 1
         && static_cast<std::size_t>(written) == in.size();
}

bool block_cipher::run_blowfish(byte_view in, std::byte* out) noexcept {
#ifdef OPENSSL_NO_BF
  static_cast<void>(in);
  static_cast<void>(out);
  return false;
#else
  if (!blowfish_) {
    blowfish_ = std::make_unique<blowfish_schedule>();
    BF_set_key(&blowfish_->key, static_cast<int>(key_.size()),
               reinterpret_cast<const unsigned char*>(key_.data()));
  }
  unsigned char vector[] = {0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10};
  BF_cbc_encrypt(reinterpret_cast<const unsigned char*>(in.data()), reinterpret_cast<unsigned char*>(out),
                 static_cast<long>(in.size()), &blowfish_->key, vector,
                 way_ == direction::encrypt ? BF_ENCRYPT : BF_DECRYPT);
  return true;
#endif
}

} // namespace picket::protocol::crypto
