#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The lines that simulated agents send, and the numbers by which they are found again.

namespace picket::agentsim {

struct source_line {
  std::uint32_t location = 0; ///< index in `line_set::locations`
  std::string text;
};

struct line_set {
  std::vector<std::string> locations;
  std::vector<source_line> lines;

  /// Adds a file's lines, empty ones left out; `path=location` names another location than the path.
  result<void> add_file(const std::string& path_and_location);
  /// Adds one line.
  void add_line(const std::string& location, std::string text);
  /// `1:<location>:<text>` of the n-th line, counted over and over.
  std::string message(std::uint64_t n, std::string_view suffix) const;
};

/// ` picketsim=<run>:<agent>:<number>`, appended to a line. The number counts from 1 for each agent.
std::string number_suffix(std::string_view run, std::string_view agent, std::uint64_t number);

struct line_number {
  std::string_view run;
  std::string_view agent;
  std::uint64_t number = 0;
};

/// The number of a line that ends in one.
std::optional<line_number> number_of(std::string_view line);

} // namespace picket::agentsim
