#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace picket::harness {

/// Folder of the reference answers; empty where it is absent.
std::filesystem::path reference_data();

/// Assembles the stock rule set in `into`, as a manager loads it by default. False where the data is absent.
bool make_stock_ruleset(const std::filesystem::path& into);

/// The lines of a file without their line ends.
std::vector<std::string> lines_of(const std::filesystem::path& file);

} // namespace picket::harness
