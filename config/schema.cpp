#include "config/schema.hpp"

#include "config/schema_table.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>

#include <arpa/inet.h>

namespace picket::config {

namespace {

constexpr section all_sections[] = {
    section{"node", "This node"},
    section{"paths", "Where things are kept"},
    section{"ingest", "Connections of agents"},
    section{"agents", "State of agents"},
    section{"enrollment", "Enrollment of new agents"},
    section{"pool", "Memory for records that are being worked on"},
    section{"overflow", "Disk for records that do not fit into that memory"},
    section{"engine", "Analysis"},
    section{"ruleset", "Decoders, rules and lists"},
    section{"journal", "Alerts and archives"},
    section{"api", "Admin endpoint, for picketctl"},
    section{"health", "Health and metrics"},
    section{"log", "The node's own log"},
    section{"limits", "Limits of the whole node"},
};

std::vector<setting> joined_table() {
  std::vector<setting> all;
  for (auto part : {edge_settings(), enrollment_rows(), inner_settings()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

/// Number of letters to add, drop or change.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto above = row[j];
      auto change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above + 1, row[j - 1] + 1, change});
      diagonal = above;
    }
  }
  return row.back();
}

std::string_view last_part(std::string_view key) { return key.substr(key.rfind('.') + 1); }

/// "a, b or c" out of "a b c".
std::string listed(std::string_view words) {
  std::string text{words};
  auto last = text.rfind(' ');
  for (std::size_t at = text.find(' '); at != std::string::npos; at = text.find(' ', at + 1)) {
    std::string joint = at == last ? " or " : ", ";
    text.replace(at, 1, joint);
    if (at == last) break;
    last += joint.size() - 1;
    at += joint.size() - 1;
  }
  return text;
}

bool is_choice(std::string_view choices, std::string_view word) {
  if (word.empty() || word.find(' ') != std::string_view::npos) return false;
  auto padded = " " + std::string{choices} + " ";
  return padded.find(" " + std::string{word} + " ") != std::string::npos;
}

struct assigner {
  const setting& row;
  std::string_view text;

  std::optional<std::string> refuse(std::string_view why) const {
    std::string problem{why};
    problem.append(": '").append(text.substr(0, 80)).append("'; give ").append(allowed_text(row));
    if (!row.default_value.empty()) problem.append(" (default ").append(row.default_value).append(")");
    return problem;
  }
  bool has_control_char() const {
    return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  }

  std::optional<std::string> operator()(std::string* to) const {
    if (!row.choices.empty() && !is_choice(row.choices, text)) return refuse("not one of the choices");
    if (has_control_char()) return refuse("a control character");
    if (text.size() > 1'024) return refuse("too long");
    *to = text;
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::int64_t* to) const {
    std::int64_t number = 0;
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (ec == std::errc::result_out_of_range) return refuse("out of range");
    if (ec != std::errc{} || end != text.data() + text.size()) return refuse("not a whole number");
    bool allowed = (number >= row.min && number <= row.max) || (row.zero_too && number == 0);
    if (!allowed) return refuse("out of range");
    *to = number;
    return std::nullopt;
  }
  std::optional<std::string> operator()(bool* to) const {
    if (!is_choice("yes no true false on off", text)) return refuse("neither yes nor no");
    *to = is_choice("yes true on", text);
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::filesystem::path* to) const {
    if (has_control_char()) return refuse("a control character");
    if (text.size() > 1'024) return refuse("too long");
    *to = std::string{text};
    return std::nullopt;
  }
  std::optional<std::string> operator()(listen_address* to) const {
    auto address = parse_listen_address(text);
    if (!address) return refuse("not an address");
    *to = *address;
    return std::nullopt;
  }
  std::optional<std::string> operator()(address_ranges* to) const {
    address_ranges all;
    for (auto rest = text; !rest.empty();) {
      auto end = std::min(rest.find_first_of(", "), rest.size());
      if (end > 0) {
        auto range = parse_address_range(rest.substr(0, end));
        if (!range) return refuse("not a list of addresses");
        all.push_back(*range);
        if (all.size() > max_address_ranges) return refuse("too many");
      }
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    *to = std::move(all);
    return std::nullopt;
  }
};

struct writer {
  std::string operator()(const std::string* from) const { return *from; }
  std::string operator()(const std::int64_t* from) const { return std::to_string(*from); }
  std::string operator()(const bool* from) const { return *from ? "yes" : "no"; }
  std::string operator()(const std::filesystem::path* from) const { return from->string(); }
  std::string operator()(const listen_address* from) const { return to_text(*from); }
  std::string operator()(const address_ranges* from) const {
    std::string all;
    for (const auto& range : *from)
      all += (all.empty() ? "" : ", ") + to_text(range);
    return all;
  }
};

} // namespace

std::span<const setting> schema() noexcept {
  static const std::vector<setting> table = joined_table();
  return table;
}

std::span<const section> sections() noexcept { return all_sections; }

const setting* find_setting(std::string_view key) noexcept {
  for (const auto& row : schema())
    if (row.key == key) return &row;
  return nullptr;
}

std::optional<std::string_view> nearest_key(std::string_view key) {
  constexpr std::size_t longest = 80;
  if (key.size() > longest) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t best_distance = std::max<std::size_t>(2, key.size() / 5) + 1;
  for (const auto& row : schema()) {
    auto longer = std::max(key.size(), row.key.size());
    auto shorter = std::min(key.size(), row.key.size());
    bool far = longer - shorter >= best_distance; // no need to compare letters
    auto apart = far ? longer : distance(key, row.key);
    // The right word in the wrong section.
    if (last_part(key) == last_part(row.key)) apart = std::min<std::size_t>(apart, 2);
    if (apart < best_distance) {
      best = row.key;
      best_distance = apart;
    }
  }
  return best;
}

std::string environment_name(std::string_view key) {
  std::string name = "PICKET_";
  for (char c : key) {
    if (c == '.')
      name += "__";
    else
      name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name;
}

std::string type_text(const setting& row) {
  settings any;
  if (!row.choices.empty()) return listed(row.choices);
  switch (row.of(any).index()) {
  case 0:
    return "text";
  case 1:
    return "number";
  case 2:
    return "yes or no";
  case 3:
    return "path";
  case 4:
    return "address:port";
  default:
    return "addresses";
  }
}

std::string allowed_text(const setting& row) {
  settings any;
  if (!row.choices.empty()) return listed(row.choices);
  switch (row.of(any).index()) {
  case 0:
    return "a text of at most 1024 bytes on one line";
  case 1: {
    auto range = std::to_string(row.min) + " to " + std::to_string(row.max);
    return row.zero_too ? range + ", or 0" : range;
  }
  case 2:
    return "yes or no";
  case 3:
    return "a path of at most 1024 bytes";
  case 4:
    return "host:port, [IPv6]:port or :port, port 1 to 65535 (0: any that is free)";
  default:
    return "at most 64 addresses or ranges (10.0.0.0/8, 2001:db8::/32), a comma between";
  }
}

std::optional<std::string> assign(const setting& row, std::string_view text, settings& to) {
  assigner visitor{row, text};
  return std::visit(visitor, row.of(to));
}

std::string value_text(const setting& row, const settings& from) {
  // The table's functions name members of a settings object; nothing is written through them here.
  return std::visit(writer{}, row.of(const_cast<settings&>(from)));
}

std::optional<listen_address> parse_listen_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  auto digits = text.substr(colon + 1);
  unsigned port = 0;
  auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (ec != std::errc{} || end != digits.data() + digits.size() || port > 65'535) return std::nullopt;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'
           || c == ':';
  };
  if (host.size() > 253 || !std::all_of(host.begin(), host.end(), allowed)) return std::nullopt;
  listen_address address;
  address.host = host;
  address.port = static_cast<std::uint16_t>(port);
  return address;
}

std::string to_text(const listen_address& address) {
  bool v6 = address.host.find(':') != std::string::npos;
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::optional<address_range> parse_address_range(std::string_view text) {
  constexpr unsigned mapped_bits = 96;
  constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  auto slash = text.find('/');
  std::string host{text.substr(0, slash)};
  address_range range;
  range.v6 = host.find(':') != std::string::npos;
  unsigned most = range.v6 ? 128 : 32;
  if (inet_pton(range.v6 ? AF_INET6 : AF_INET, host.c_str(), range.base.data()) != 1) return std::nullopt;
  range.bits = most;
  if (slash != std::string_view::npos) {
    auto digits = text.substr(slash + 1);
    auto [end, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), range.bits);
    if (ec != std::errc{} || end != digits.data() + digits.size() || range.bits > most) return std::nullopt;
  }
  for (auto bit = range.bits; bit < most; ++bit)
    if ((range.base[bit / 8] & (0x80 >> bit % 8)) != 0) return std::nullopt;
  if (range.v6 && range.bits >= mapped_bits && std::equal(mapped.begin(), mapped.end(), range.base.begin())) {
    address_range v4;
    std::copy(range.base.begin() + 12, range.base.end(), v4.base.begin());
    v4.bits = range.bits - mapped_bits;
    return v4;
  }
  return range;
}

std::string to_text(const address_range& range) {
  char host[INET6_ADDRSTRLEN] = "";
  inet_ntop(range.v6 ? AF_INET6 : AF_INET, range.base.data(), host, sizeof host);
  bool single = range.bits == (range.v6 ? 128 : 32);
  return single ? host : host + ("/" + std::to_string(range.bits));
}

} // namespace picket::config
