#pragma once

#include "engine/load/ruleset.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace picket::testing {

/// Files of the stock rule set as `make-test-ruleset` of the reference data assembles it. Empty if there is
/// no reference data (or no Python to run the script).
class reference_ruleset {
public:
  /// `tests`: with the rules that only rule tests use.
  static std::vector<engine::ruleset_file> files(const std::filesystem::path& data, bool tests) {
    std::vector<engine::ruleset_file> none;
    const auto script = data / "make-test-ruleset";
    if (!std::filesystem::exists(script)) return none;
    std::string name = (std::filesystem::temp_directory_path() / "picket-ruleset-XXXXXX").string();
    if (!::mkdtemp(name.data())) return none;
    const std::string command =
        "'" + script.string() + "' " + (tests ? "--tests " : "") + "'" + name + "' >/dev/null 2>&1";
    const int code = std::system(command.c_str());
    auto read = engine::read_ruleset_directory(name);
    std::error_code ignored;
    std::filesystem::remove_all(name, ignored);
    if (code != 0 || !read) return none;
    return std::move(*read);
  }
};

} // namespace picket::testing
