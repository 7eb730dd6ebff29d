#include "protocol/agent/control.hpp"

#include <array>

namespace picket::protocol {

namespace {

constexpr std::string_view agent_ip_mark = "#\"_agent_ip\":";

bool starts_with(std::string_view text, std::string_view word) noexcept {
  return text.substr(0, word.size()) == word;
}

std::string_view leading_digits(std::string_view text) noexcept {
  std::size_t end = 0;
  while (end < text.size() && text[end] >= '0' && text[end] <= '9')
    ++end;
  return text.substr(0, end);
}

/// `[#][!]"<key>":<value>`; nothing added if the quotes do not fit.
void read_label(std::string_view line, std::vector<agent_label>& to) {
  agent_label label;
  if (line[0] == '#') {
    label.system = true;
    line.remove_prefix(1);
  }
  if (!line.empty() && line[0] == '!') {
    label.hidden = true;
    line.remove_prefix(1);
  }
  if (line.empty() || line[0] != '"') return;
  line.remove_prefix(1);
  auto end = line.find("\":");
  if (end == std::string_view::npos) return;
  label.key = line.substr(0, end);
  label.value = line.substr(end + 2);
  to.push_back(std::move(label));
}

/// `<uname> - Wazuh <version>[ / <sum>]`
void read_identity(std::string_view line, keepalive& to) {
  auto dash = line.rfind(" - Wazuh");
  if (dash == std::string_view::npos) dash = line.find(" - ");
  to.uname = line.substr(0, dash);
  auto right = line.substr(dash + 3);
  if (auto slash = right.find(" / "); slash != std::string_view::npos) {
    to.version = right.substr(0, slash);
    to.config_sum = right.substr(slash + 3);
  } else if (auto name = right.find("Wazuh"); name != std::string_view::npos) {
    to.version = right.substr(name);
  }
}

void read_line(std::string_view line, keepalive& to) {
  if (line.empty()) return;
  if (starts_with(line, agent_ip_mark)) {
    to.agent_ip = line.substr(agent_ip_mark.size());
  } else if (line[0] == '#' || line[0] == '!' || line[0] == '"') {
    read_label(line, to.labels);
  } else if (line.find(" - ") != std::string_view::npos) {
    read_identity(line, to);
  } else if (auto space = line.find(' ');
             space != std::string_view::npos && starts_with(line.substr(space + 1), "merged.m")) {
    to.merged_sum = line.substr(0, space);
  }
}

std::string_view find_architecture(std::string_view text) noexcept {
  static constexpr std::array<std::string_view, 12> known = {"x86_64", "i386",  "i686",    "sparc",
                                                             "amd64",  "i86pc", "ia64",    "AIX",
                                                             "armv6",  "armv7", "aarch64", "arm64"};
  for (auto name : known)
    if (text.find(name) != std::string_view::npos) return name;
  return {};
}

/// `<name> [Ver: <version>] |<host> |<architecture>`
void read_windows(std::string_view uname, std::size_t bracket, os_identity& os) {
  os.platform = "windows";
  os.name = uname.substr(0, bracket);
  auto rest = uname.substr(bracket + 7);
  auto end = rest.find(']');
  auto version = rest.substr(0, end);
  os.version = version;
  os.major = leading_digits(version);
  if (auto dot = version.find('.'); dot != std::string_view::npos) {
    auto minor = version.substr(dot + 1);
    os.minor = leading_digits(minor);
    if (dot = minor.find('.'); dot != std::string_view::npos)
      os.build = leading_digits(minor.substr(dot + 1));
  }
  if (end == std::string_view::npos) return;
  rest.remove_prefix(end + 1);
  auto last = rest.rfind('|');
  if (last == std::string_view::npos) return;
  auto word = rest.substr(last + 1);
  os.architecture = word.substr(0, word.find(' '));
  if (auto first = rest.find('|'); first < last) {
    auto host = rest.substr(first + 1, last - first - 1);
    while (!host.empty() && host.back() == ' ')
      host.remove_suffix(1);
    os.hostname = host;
  }
}

/// Left of the bracket words between bars, inside `name|platform: version (codename)`.
void read_unix(std::string_view uname, std::size_t bracket, os_identity& os) {
  auto left = uname.substr(0, bracket);
  auto inside = uname.substr(bracket + 2);
  inside = inside.substr(0, inside.rfind(']'));
  auto bar = inside.find('|');
  os.name = inside.substr(0, bar);
  auto behind = bar == std::string_view::npos ? inside : inside.substr(bar + 1);
  if (auto colon = behind.find(": "); colon != std::string_view::npos) {
    if (bar == std::string_view::npos)
      os.name = behind.substr(0, colon);
    else
      os.platform = behind.substr(0, colon);
    auto version = behind.substr(colon + 2);
    if (auto open = version.find(" ("); open != std::string_view::npos && version.back() == ')') {
      os.codename = version.substr(open + 2, version.size() - open - 3);
      version = version.substr(0, open);
    }
    os.version = version;
    os.major = leading_digits(version);
    auto next = version.substr(os.major.size());
    if (!next.empty() && next[0] == '.')
      os.minor = leading_digits(next.substr(1));
    else if (starts_with(next, "-SP"))
      os.minor = leading_digits(next.substr(3));
  } else if (bar != std::string_view::npos) {
    os.platform = behind;
  }
  os.architecture = find_architecture(left);
  auto first = left.find(" |");
  auto second = first == std::string_view::npos ? first : left.find(" |", first + 2);
  if (second != std::string_view::npos) os.hostname = left.substr(first + 2, second - first - 2);
}

} // namespace

keepalive parse_keepalive(std::string_view body) {
  keepalive parsed;
  auto end = body.rfind('\n');
  body = end == std::string_view::npos ? std::string_view{} : body.substr(0, end); // old agents pad behind it
  while (!body.empty()) {
    auto line_end = std::min(body.find('\n'), body.size());
    read_line(body.substr(0, line_end), parsed);
    body.remove_prefix(std::min(line_end + 1, body.size()));
  }
  return parsed;
}

os_identity parse_uname(std::string_view uname) {
  os_identity os;
  if (auto windows = uname.find(" [Ver: "); windows != std::string_view::npos)
    read_windows(uname, windows, os);
  else if (auto bracket = uname.find(" ["); bracket != std::string_view::npos)
    read_unix(uname, bracket, os);
  return os;
}

std::string format_keepalive(const keepalive& value) {
  std::string text{control_mark};
  text += value.uname + " - " + value.version;
  if (!value.config_sum.empty()) text += " / " + value.config_sum;
  text += "\n";
  for (const auto& label : value.labels) {
    if (label.system) text += '#';
    if (label.hidden) text += '!';
    text += '"' + label.key + "\":" + label.value + "\n";
  }
  text += (value.merged_sum.empty() ? "x" : value.merged_sum) + " merged.mg\n";
  text += value.agent_ip.empty() ? "\n" : std::string{agent_ip_mark} + value.agent_ip + "\n";
  return text;
}

} // namespace picket::protocol
