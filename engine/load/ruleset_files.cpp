#include "engine/load/ruleset_files.hpp"

#include "engine/text/fold.hpp"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace picket::engine {

namespace fs = std::filesystem;

namespace {

class reader {
public:
  reader(const fs::path& directory, const ruleset_limits& limits)
      : directory_(directory)
      , limits_(limits) {}

  result<std::vector<ruleset_file>> run() {
    if (std::error_code ec; !fs::is_directory(directory_, ec))
      return fail(errc::not_found, "no such directory", directory_.string(),
                  "name a directory with decoders/ and rules/");
    if (auto done = add_techniques(); !done) return tl::unexpected(done.error());
    if (auto done = add_folder(file_kind::decoder, "decoders"); !done) return tl::unexpected(done.error());
    if (auto done = add_lists(); !done) return tl::unexpected(done.error());
    if (auto done = add_folder(file_kind::rule, "rules"); !done) return tl::unexpected(done.error());
    return std::move(files_);
  }

private:
  static bool is_xml(const fs::path& path) { return equal_fold(path.extension().string(), ".xml"); }

  result<void> add_folder(file_kind kind, const std::string& name) {
    auto folder = directory_ / name;
    std::error_code ec;
    fs::directory_iterator each(folder, ec);
    if (ec)
      return fail(errc::not_found, ec.message(), folder.string(),
                  "a rule set has the folders decoders/ and rules/");
    std::vector<fs::path> paths;
    for (; each != fs::directory_iterator() && !ec; each.increment(ec))
      if (is_xml(each->path()) && each->is_regular_file()) paths.push_back(each->path());
    if (ec) return fail(errc::io, ec.message(), folder.string());
    std::sort(paths.begin(), paths.end(), [](const fs::path& a, const fs::path& b) {
      return a.filename().native() < b.filename().native();
    });
    for (const auto& path : paths)
      if (auto done = add(kind, path, name + "/" + path.filename().string()); !done) return done;
    return {};
  }

  result<void> add_lists() {
    auto folder = directory_ / "lists";
    std::error_code ec;
    if (!fs::is_directory(folder, ec)) return {};
    std::vector<fs::path> paths;
    fs::recursive_directory_iterator each(folder, ec);
    for (; !ec && each != fs::recursive_directory_iterator(); each.increment(ec))
      if (each->is_regular_file() && each->path().extension() != ".cdb") paths.push_back(each->path());
    if (ec) return fail(errc::io, ec.message(), folder.string());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
      auto name = "etc/lists/" + path.lexically_relative(folder).generic_string();
      if (auto done = add(file_kind::list, path, name); !done) return done;
    }
    return {};
  }

  result<void> add_techniques() {
    auto path = directory_ / "techniques.tsv";
    std::error_code ec;
    return fs::is_regular_file(path, ec) ? add(file_kind::technique, path, "techniques.tsv") : result<void>{};
  }

  result<void> add(file_kind kind, const fs::path& path, std::string name) {
    if (files_.size() == limits_.files)
      return fail(errc::limit_reached, "more than " + std::to_string(limits_.files) + " files",
                  directory_.string());
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    auto size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
    if (size < 0) return fail(errc::io, "cannot be read", path.string(), "check owner and mode");
    total_bytes_ += static_cast<std::size_t>(size);
    if (total_bytes_ > limits_.total_bytes)
      return fail(errc::limit_reached, "more than " + std::to_string(limits_.total_bytes) + " bytes",
                  path.string());
    std::string bytes(static_cast<std::size_t>(size), '\0');
    file.seekg(0);
    if (!file.read(bytes.data(), size))
      return fail(errc::io, "cannot be read", path.string(), "check owner and mode");
    files_.push_back({kind, std::move(name), std::move(bytes)});
    return {};
  }

  const fs::path& directory_;
  const ruleset_limits& limits_;
  std::vector<ruleset_file> files_;
  std::size_t total_bytes_ = 0;
};

} // namespace

result<std::vector<ruleset_file>> read_ruleset_directory(const fs::path& directory,
                                                         const ruleset_limits& limits) {
  return reader(directory, limits).run();
}

} // namespace picket::engine
