#include "cluster-tests/agentsim/lines.hpp"

#include "protocol/agent/event_message.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>

namespace picket::agentsim {

namespace {

constexpr std::string_view number_mark = " picketsim=";

} // namespace

result<void> line_set::add_file(const std::string& path_and_location) {
  auto equals = path_and_location.find('=');
  auto path = path_and_location.substr(0, equals);
  auto location = equals == std::string::npos ? path : path_and_location.substr(equals + 1);
  std::ifstream file{path, std::ios::binary};
  if (!file) return fail(errc::not_found, "cannot read the file of lines", path);
  auto before = lines.size();
  for (std::string text; std::getline(file, text);) {
    if (!text.empty() && text.back() == '\r') text.pop_back();
    if (!text.empty()) add_line(location, text);
  }
  if (lines.size() == before) return fail(errc::invalid_argument, "the file has no lines", path);
  return {};
}

void line_set::add_line(const std::string& location, std::string text) {
  auto found = std::find(locations.begin(), locations.end(), location);
  source_line line;
  line.location = static_cast<std::uint32_t>(found - locations.begin());
  line.text = std::move(text);
  if (found == locations.end()) locations.push_back(location);
  lines.push_back(std::move(line));
}

std::string line_set::message(std::uint64_t n, std::string_view suffix) const {
  const auto& line = lines[n % lines.size()];
  auto message = protocol::format_event_message('1', locations[line.location], line.text);
  return message.append(suffix);
}

std::string number_suffix(std::string_view run, std::string_view agent, std::uint64_t number) {
  std::string suffix{number_mark};
  return suffix.append(run).append(":").append(agent).append(":").append(std::to_string(number));
}

std::optional<line_number> number_of(std::string_view line) {
  auto mark = line.rfind(number_mark);
  if (mark == std::string_view::npos) return std::nullopt;
  auto rest = line.substr(mark + number_mark.size());
  auto first = rest.find(':');
  auto second = rest.rfind(':');
  if (first == std::string_view::npos || first == second) return std::nullopt;
  line_number found;
  found.run = rest.substr(0, first);
  found.agent = rest.substr(first + 1, second - first - 1);
  auto digits = rest.substr(second + 1);
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), found.number);
  if (ec != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return found;
}

} // namespace picket::agentsim
