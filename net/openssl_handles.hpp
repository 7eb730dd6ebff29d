#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.hpp"

// Owners of OpenSSL's objects, and what every file that uses it needs. Included by sources of net/ only.

namespace picket::net::openssl {

struct freer {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_REQ* p) const { X509_REQ_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(X509_STORE* p) const { X509_STORE_free(p); }
  void operator()(X509_STORE_CTX* p) const { X509_STORE_CTX_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(std::FILE* p) const { std::fclose(p); }
};

template <class T>
using handle = std::unique_ptr<T, freer>;

/// What the library says of its last failure, which is forgotten with it.
std::string library_text();

/// errc::certificate_invalid with the library's own text behind `what`.
tl::unexpected<error> bad(const std::string& what, const std::string& where);

/// Writes through a temporary file, so that a reader sees a whole file or none. Errors: io.
result<void> write_file(const std::string& path, unsigned mode, const std::function<bool(std::FILE*)>& write);

/// A new P-256 key; null if the library refuses.
handle<EVP_PKEY> make_key();

/// Adds an extension by its text form. `issuer`: whose key identifier is named where one is.
bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value);

/// 63 random bits as serial number.
bool set_serial(X509* certificate);

/// Adds `value` under `field` ("CN", "O") to a name.
bool add_name(X509_NAME* name, const char* field, const std::string& value);

/// PEM text of what `write` puts into a memory file; empty if it fails.
std::string pem_text(const std::function<bool(BIO*)>& write);
/// The text as a memory file to read from.
handle<BIO> reading(const std::string& text);

} // namespace picket::net::openssl
