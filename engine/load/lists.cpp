#include "engine/load/lists.hpp"

#include "engine/match/pattern.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>
#include <utility>

namespace picket::engine {

namespace {

constexpr std::size_t line_bytes_max = 65'534;
/// One bad tool can make a million bad lines; a person needs to see a few of them.
constexpr int findings_max = 20;

struct line_entry {
  std::string_view key;
  std::string_view value;
};

/// decoders.md 5.2. Empty text: an entry; else what is wrong.
std::string_view read_line(std::string_view line, line_entry& into) {
  auto quote = line.find('"');
  auto colon = line.find(':');
  auto behind_key = colon;
  if (quote != std::string_view::npos && (colon == std::string_view::npos || colon > quote)) {
    auto second = line.find('"', quote + 1);
    if (second == std::string_view::npos) return "the key's closing quote is missing";
    into.key = line.substr(quote + 1, second - quote - 1);
    behind_key = line.find(':', second + 1);
  } else if (colon != std::string_view::npos) {
    into.key = line.substr(0, colon);
  }
  if (behind_key == std::string_view::npos) return "no ':' between key and value";
  into.value = line.substr(behind_key + 1);
  if (auto open = into.value.find('"'); open != std::string_view::npos) {
    auto close = into.value.find('"', open + 1);
    if (close == std::string_view::npos) return "the value's closing quote is missing";
    into.value = into.value.substr(open + 1, close - open - 1);
  }
  return {};
}

} // namespace

std::optional<list_lookup> parse_list_lookup(std::string_view text) {
  static constexpr std::pair<std::string_view, list_lookup> names[] = {
      {"match_key", list_lookup::match_key},
      {"not_match_key", list_lookup::not_match_key},
      {"match_key_value", list_lookup::match_key_value},
      {"address_match_key", list_lookup::address_match_key},
      {"not_address_match_key", list_lookup::not_address_match_key},
      {"address_match_key_value", list_lookup::address_match_key_value}};
  for (const auto& [name, value] : names)
    if (equal_fold(name, text)) return value;
  return std::nullopt;
}

cdb_list cdb_list::parse(std::string_view file, std::string_view bytes, diagnostics& out) {
  cdb_list made;
  int line_number = 0;
  int findings = 0;
  auto report = [&](severity how, const char* code, std::string text, std::string hint) {
    if (++findings > findings_max) return;
    if (findings == findings_max) text += " (further findings in this file are not shown)";
    out.push_back({how, {std::string(file), line_number, 1}, -1, code, std::move(text), std::move(hint)});
  };
  while (!bytes.empty()) {
    ++line_number;
    auto line = bytes.substr(0, bytes.find('\n'));
    bool split = line.size() > line_bytes_max;
    if (split) line = line.substr(0, line_bytes_max);
    bytes.remove_prefix(std::min(bytes.size(), line.size() + (split ? 0 : 1)));
    if (split) --line_number;
    line = line.substr(0, line.find('\0'));
    line = line.substr(0, line.find('\r'));
    line_entry entry;
    if (auto defect = read_line(line, entry); !defect.empty()) {
      if (!line.empty())
        report(severity::warning, "list-line", "the line is skipped: " + std::string(defect),
               "write key:value, or \"key\":value if the key holds a colon");
      continue;
    }
    auto [at, fresh] = made.index_.try_emplace(std::string(entry.key), made.entries_.size());
    if (!fresh) {
      report(severity::note, "list-duplicate",
             "key '" + std::string(entry.key) + "' stands in an earlier line, which wins",
             "remove this line");
      continue;
    }
    made.entries_.emplace_back(entry.key, entry.value);
    made.longest_key_ = std::max(made.longest_key_, entry.key.size());
  }
  return made;
}

std::optional<std::string_view> cdb_list::find(std::string_view key) const {
  if (key.size() > longest_key_) return std::nullopt;
  auto at = index_.find(key);
  if (at == index_.end()) return std::nullopt;
  return entries_[at->second].second;
}

std::optional<std::string_view> cdb_list::find_address(std::string_view key) const {
  if (auto value = find(key)) return value;
  for (auto dot = key.rfind('.'); dot != std::string_view::npos;
       dot = dot == 0 ? key.npos : key.rfind('.', dot - 1)) {
    if (auto value = find(key.substr(0, dot + 1))) return value;
  }
  return std::nullopt;
}

bool cdb_list::holds(list_lookup lookup, std::string_view value, const pattern* check_value,
                     match_scratch& scratch) const {
  auto check = [&](std::optional<std::string_view> found) {
    return found && check_value && check_value->holds(*found, scratch);
  };
  switch (lookup) {
  case list_lookup::match_key:
    return find(value).has_value();
  case list_lookup::not_match_key:
    return !find(value);
  case list_lookup::match_key_value:
    return check(find(value));
  case list_lookup::address_match_key:
    return find_address(value).has_value();
  case list_lookup::not_address_match_key:
    return !find_address(value);
  case list_lookup::address_match_key_value:
    return check(find_address(value));
  }
  return false;
}

} // namespace picket::engine
