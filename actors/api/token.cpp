#include "actors/api/token.hpp"

#include <cerrno>

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.hpp"

namespace picket::api {

namespace {

constexpr std::size_t token_digits = 64;

result<std::string> make_token(const std::string& file) {
  std::byte random[token_digits / 2];
  if (RAND_bytes(reinterpret_cast<unsigned char*>(random), sizeof random) != 1)
    return fail(errc::internal, "no random numbers", file);
  auto token = to_hex(random);
  auto temporary = file + ".new";
  ::unlink(temporary.c_str());
  int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return fail(errc::io, "cannot make the token file: " + system_text(errno), file);
  auto line = token + "\n";
  bool wrote =
      ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fdatasync(fd) == 0;
  int problem = errno;
  ::close(fd);
  if (!wrote || ::rename(temporary.c_str(), file.c_str()) != 0)
    return fail(errc::io, "cannot write the token file: " + system_text(wrote ? errno : problem), file);
  return token;
}

} // namespace

result<std::string> read_token(const std::string& file) {
  int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return fail(errno == EACCES ? errc::permission : errc::io, "cannot read the token: " + system_text(errno),
                file, "run it as the user of the node, or give --token-file");
  struct stat info {};
  char text[256];
  bool known = ::fstat(fd, &info) == 0;
  auto got = ::read(fd, text, sizeof text);
  ::close(fd);
  if (!known || got < 0) return fail(errc::io, "cannot read the token", file);
  if ((info.st_mode & 077) != 0)
    return fail(errc::permission, "others may read the token file", file, "chmod 600 " + file);
  std::string_view token{text, static_cast<std::size_t>(got)};
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r'))
    token.remove_suffix(1);
  if (token.size() < 32 || token.find_first_of(" \t\n") != std::string_view::npos)
    return fail(errc::corrupt, "the token file holds no token of at least 32 characters", file,
                "remove it and restart the node to get a new one");
  return std::string{token};
}

result<std::string> load_or_make_token(const std::string& file) {
  if (::access(file.c_str(), F_OK) != 0 && errno == ENOENT) return make_token(file);
  return read_token(file);
}

bool authorized(std::string_view header, std::string_view token) noexcept {
  constexpr std::string_view scheme = "Bearer ";
  if (token.empty() || header.substr(0, scheme.size()) != scheme) return false;
  header.remove_prefix(scheme.size());
  return header.size() == token.size() && CRYPTO_memcmp(header.data(), token.data(), token.size()) == 0;
}

} // namespace picket::api
