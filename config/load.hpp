#pragma once

#include "base/error.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

/// From a YAML file and the environment to typed settings. The environment wins over the file, the file over
/// the defaults.

namespace picket::config {

/// Largest configuration file.
inline constexpr std::size_t max_file_bytes = 262'144;

/// Something that is wrong, with its place.
struct problem {
  std::string file;     ///< or "environment"
  std::size_t line = 0; ///< counted from 1; 0: the whole file
  std::size_t column = 0;
  std::string text;

  friend bool operator==(const problem&, const problem&) = default;
};

/// `picket.yml:14:3: dispatch.x: out of range: '99'; give 100 to 600000 (default 5000)`
std::string to_string(const problem& one);

/// Where a value came from: "default", "picket.yml:14:3" or "environment:PICKET_X__Y".
struct origin {
  std::string key;
  std::string value;
  std::string from;
};

struct loaded {
  settings values;               ///< usable only without problems
  std::vector<problem> problems; ///< all of them, in the order of the file
  std::vector<origin> origins;   ///< one per setting, in the order of the table

  bool good() const noexcept { return problems.empty(); }
};

using environment = std::map<std::string, std::string, std::less<>>;

/// The variables of this process that begin with `PICKET_`. One whose name holds `__` must name a setting.
environment process_environment();

/// Pure. @param directory that relative paths hang on: the file's own.
loaded load_text(std::string_view yaml, const std::string& file_name, const environment& env,
                 const std::filesystem::path& directory);

/// The problems joined in one error `errc::bad_configuration`; `errc::not_found`, `errc::io` for the file
/// itself. An empty path: defaults and environment only, relative to the current directory.
result<loaded> load_file(const std::filesystem::path& file, const environment& env);

/// The defaults, paths resolved against the directory.
settings defaults(const std::filesystem::path& directory);

} // namespace picket::config
