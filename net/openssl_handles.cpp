#include "net/openssl_handles.hpp"

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

namespace picket::net::openssl {

std::string library_text() {
  char text[256] = "no reason given";
  auto code = ERR_get_error();
  if (code != 0) ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

tl::unexpected<error> bad(const std::string& what, const std::string& where) {
  return fail(errc::certificate_invalid, what + ": " + library_text(), where);
}

result<void> write_file(const std::string& path, unsigned mode,
                        const std::function<bool(std::FILE*)>& write) {
  auto temporary = path + ".new";
  ::unlink(temporary.c_str());
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (fd < 0) return fail(errc::io, "cannot write: " + system_text(errno), path);
  handle<std::FILE> file{::fdopen(fd, "w")};
  if (!file || !write(file.get()) || std::fflush(file.get()) != 0 || ::fdatasync(fd) != 0
      || ::rename(temporary.c_str(), path.c_str()) != 0)
    return fail(errc::io, "cannot write: " + system_text(errno), path);
  return {};
}

handle<EVP_PKEY> make_key() { return handle<EVP_PKEY>{EVP_EC_gen("P-256")}; }

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  handle<X509_EXTENSION> extension{X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str())};
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_serial(X509* certificate) {
  std::uint64_t serial = 0;
  return RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1
         && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

bool add_name(X509_NAME* name, const char* field, const std::string& value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0)
         == 1;
}

std::string pem_text(const std::function<bool(BIO*)>& write) {
  handle<BIO> out{BIO_new(BIO_s_mem())};
  if (!out || !write(out.get())) return {};
  char* data = nullptr;
  auto size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

handle<BIO> reading(const std::string& text) {
  return handle<BIO>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

} // namespace picket::net::openssl
