#include "node/picketctl/session.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <ostream>

namespace picket::ctl {

namespace fs = std::filesystem;

exit_code complain(session& with, const error& why) {
  with.err << "picketctl: " << to_string(why) << "\n";
  return exit_code_of(why.code);
}

std::string configuration_file(const session& with) {
  if (!with.options.config_file.empty()) return with.options.config_file;
  if (auto named = with.environment.find("PICKET_CONFIG"); named != with.environment.end())
    return named->second;
  std::error_code ignored;
  for (const char* usual : {"picket.yml", "/etc/picket/picket.yml"})
    if (fs::is_regular_file(usual, ignored)) return usual;
  return {};
}

result<std::string> read_whole_file(const std::string& path, std::size_t bytes_max) {
  std::error_code problem;
  if (fs::is_directory(path, problem))
    return fail(errc::io, "it is a directory, not a file", path, "name a file");
  errno = 0;
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return fail(errno == ENOENT ? errc::not_found : errc::io, "cannot read: " + system_text(errno), path,
                "check the path and its mode");
  std::string bytes;
  char chunk[65'536];
  while (in.read(chunk, sizeof chunk) || in.gcount() > 0) {
    bytes.append(chunk, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > bytes_max)
      return fail(errc::limit_reached, "the file is larger than " + std::to_string(bytes_max) + " bytes",
                  path, "give a smaller one");
  }
  if (in.bad()) return fail(errc::io, "cannot read to the end", path);
  return bytes;
}

} // namespace picket::ctl
