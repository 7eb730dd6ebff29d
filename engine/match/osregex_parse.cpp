#include "engine/match/osregex.hpp"

#include "engine/text/fold.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

template <class Predicate>
constexpr byte_set set_of(Predicate contains) {
  byte_set set{};
  for (int b = 1; b < 256; ++b)
    set[static_cast<std::size_t>(b)] = contains(b);
  return set;
}

constexpr bool is_digit_byte(int b) { return b >= '0' && b <= '9'; }
constexpr bool is_word_byte(int b) {
  return is_digit_byte(b) || (b >= 'A' && b <= 'Z') || (b >= 'a' && b <= 'z') || b == '-' || b == '@'
         || b == '_';
}
constexpr bool is_punctuation_byte(int b) {
  return (b >= 0x21 && b <= 0x2E) || (b >= 0x3A && b <= 0x3F) || b == 0x5B || b == 0x5D
         || (b >= 0x7B && b <= 0x7D);
}

/// The set of an escape, decoders.md 2.3.2; null if there is none.
const byte_set* set_of_escape(char escape) {
  static constexpr byte_set digits = set_of(is_digit_byte);
  static constexpr byte_set words = set_of(is_word_byte);
  static constexpr byte_set blank = set_of([](int b) { return b == ' '; });
  static constexpr byte_set tab = set_of([](int b) { return b == '\t'; });
  static constexpr byte_set punctuation = set_of(is_punctuation_byte);
  static constexpr byte_set no_digits = set_of([](int b) { return !is_digit_byte(b); });
  static constexpr byte_set no_words = set_of([](int b) { return !is_word_byte(b); });
  static constexpr byte_set no_blank = set_of([](int b) { return b != ' '; });
  static constexpr byte_set any = set_of([](int) { return true; });
  static constexpr byte_set open = set_of([](int b) { return b == '('; });
  static constexpr byte_set close = set_of([](int b) { return b == ')'; });
  static constexpr byte_set backslash = set_of([](int b) { return b == '\\'; });
  static constexpr byte_set dollar = set_of([](int b) { return b == '$'; });
  static constexpr byte_set bar = set_of([](int b) { return b == '|'; });
  static constexpr byte_set less = set_of([](int b) { return b == '<'; });
  switch (escape) {
  case 'd':
    return &digits;
  case 'w':
    return &words;
  case 's':
    return &blank;
  case 't':
    return &tab;
  case 'p':
    return &punctuation;
  case 'D':
    return &no_digits;
  case 'W':
    return &no_words;
  case 'S':
    return &no_blank;
  case '.':
    return &any;
  case '(':
    return &open;
  case ')':
    return &close;
  case '\\':
    return &backslash;
  case '$':
    return &dollar;
  case '|':
    return &bar;
  case '<':
    return &less;
  default:
    return nullptr;
  }
}

std::string at_byte(std::size_t offset) { return " at byte " + std::to_string(offset + 1); }

} // namespace

/// The grammar of decoders.md 2.3.1.
struct osregex::parser {
  std::string_view text;
  std::vector<alternative> alternatives;
  alternative current{};
  std::size_t start = 0; ///< of the alternative
  bool in_group = false;

  /// Empty: done.
  std::string run() {
    for (std::size_t at = 0; at < text.size(); ++at) {
      char c = text[at];
      if (c == '\\') {
        const byte_set* set = at + 1 < text.size() ? set_of_escape(text[at + 1]) : nullptr;
        if (!set) return escape_error(at);
        add({kind::set, '\0', '\0', 0, set});
        ++at;
      } else if (c == '(' || c == ')') {
        if (in_group == (c == '(')) return group_error(c, at);
        in_group = c == '(';
        add({kind::mark, '(', '\0', current.marks++, nullptr});
      } else if (c == '|') {
        if (in_group) return "'|' inside a group" + at_byte(at);
        finish(at + 1);
      } else if (c == '^' && at == start) {
        current.begin = true;
      } else if (c == '$' && (at + 1 == text.size() || text[at + 1] == '|')) {
        current.end = true;
      } else {
        add_literal(c);
      }
    }
    if (in_group) return "a group is not closed; add ')'";
    finish(text.size());
    return {};
  }

  std::string escape_error(std::size_t at) const {
    if (at + 1 == text.size()) return "a backslash at the end";
    return std::string("unknown escape '\\") + text[at + 1] + "'" + at_byte(at)
           + "; there are \\d \\w \\s \\p \\t \\D \\W \\S \\. \\( \\) \\\\ \\$ \\| \\<";
  }

  static std::string group_error(char c, std::size_t at) {
    return (c == '(' ? std::string("a group inside a group") : std::string("')' without '('")) + at_byte(at);
  }

  void add(unit next) { current.units.push_back(next); }

  void add_literal(char c) {
    if ((c == '+' || c == '*') && !current.units.empty() && current.units.back().kind == kind::set)
      current.units.back().quantifier = c;
    add({kind::literal, fold(c), '\0', 0, nullptr});
  }

  void finish(std::size_t next_start) {
    // The longest look ahead is from a quantified set over a mark: three units.
    current.units.resize(current.units.size() + 6);
    alternatives.push_back(std::move(current));
    current = {};
    start = next_start;
  }
};

tl::expected<osregex, std::string> osregex::compile(std::string_view text, bool captures) {
  if (text.size() > pattern_bytes_max) return tl::unexpected(std::string("longer than 20480 bytes"));
  parser parse{text, {}, {}, 0, false};
  if (auto defect = parse.run(); !defect.empty()) return tl::unexpected(std::move(defect));
  osregex made;
  made.alternatives_ = std::move(parse.alternatives);
  made.captures_ = captures && made.groups() > 0;
  return made;
}

std::size_t osregex::groups() const noexcept {
  std::size_t most = 0;
  for (const auto& each : alternatives_)
    most = std::max<std::size_t>(most, each.marks / 2);
  return most;
}

} // namespace picket::engine
