#include "engine/event/json.hpp"

#include "engine/text/fold.hpp"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace picket::engine::json {

namespace {

constexpr bool is_space(char c) noexcept { return c >= '\x01' && c <= ' '; }
/// Numbers are read from a buffer of this many characters; a longer one breaks off there.
constexpr std::size_t number_bytes_max = 63;

int hex_digit(char c) noexcept {
  if (is_digit(c)) return c - '0';
  c = fold(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

class parser {
public:
  /// A NUL byte ends the text, as it does for the library whose behaviour this is.
  parser(std::string_view text, arena& memory)
      : text_(text.substr(0, text.find('\0')))
      , memory_(memory) {}

  const value* run() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    skip_space();
    value* root = memory_.make<value>();
    return read(*root, 0) ? root : nullptr;
  }
  std::size_t position() const { return at_; }

private:
  char look() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void skip_space() {
    while (is_space(look()))
      ++at_;
  }
  bool take(char c) {
    if (look() != c || at_ >= text_.size()) return false;
    ++at_;
    return true;
  }
  bool take(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool read(value& into, std::size_t depth) {
    char c = look();
    if (c == '"') {
      into.kind = kind::string;
      return read_string(into.text);
    }
    if (c == '-' || is_digit(c)) return read_number(into);
    if (c == '[' || c == '{') return depth < depth_max && read_children(into, depth + 1);
    if (take("null")) {
      into.kind = kind::null;
    } else if (take("false")) {
      into.kind = kind::boolean_false;
    } else if (take("true")) {
      into.kind = kind::boolean_true;
    } else {
      return false;
    }
    return true;
  }

  /// An array or an object.
  bool read_children(value& into, std::size_t depth) {
    bool object = look() == '{';
    into.kind = object ? kind::object : kind::array;
    char close = object ? '}' : ']';
    ++at_;
    skip_space();
    if (take(close)) return true;
    const value** link = &into.first;
    while (true) {
      value* child = memory_.make<value>();
      *link = child;
      link = &child->next;
      if (object) {
        if (look() != '"' || !read_string(child->key)) return false;
        skip_space();
        if (!take(':')) return false;
        skip_space();
      }
      if (!read(*child, depth)) return false;
      skip_space();
      if (take(close)) return true;
      if (!take(',')) return false;
      skip_space();
    }
  }

  bool read_number(value& into) {
    into.kind = kind::number;
    auto length = text_.find_first_not_of("0123456789+-.eE", at_);
    auto digits = text_.substr(at_, length == std::string_view::npos ? length : length - at_)
                      .substr(0, number_bytes_max);
    auto [behind, defect] = std::from_chars(digits.data(), digits.data() + digits.size(), into.number);
    if (behind == digits.data()) return false;
    if (defect == std::errc::result_out_of_range) {
      // Infinite or too small: only here does the library function tell which.
      char copy[number_bytes_max + 1] = {};
      std::memcpy(copy, digits.data(), digits.size());
      into.number = std::strtod(copy, nullptr);
    }
    at_ += static_cast<std::size_t>(behind - digits.data());
    return true;
  }

  bool read_string(std::string_view& into) {
    auto start = ++at_;
    auto stop = text_.find_first_of("\"\\", at_);
    if (stop == std::string_view::npos) return false;
    if (text_[stop] == '"') {
      into = text_.substr(start, stop - start);
      at_ = stop + 1;
      return true;
    }
    return read_escaped(start, into);
  }

  /// The closing quote, over escapes; npos if there is none.
  std::size_t closing_quote(std::size_t from) const {
    while (true) {
      from = text_.find_first_of("\"\\", from);
      if (from == std::string_view::npos || text_[from] == '"') return from;
      from += 2;
      if (from > text_.size()) return std::string_view::npos;
    }
  }

  bool read_escaped(std::size_t start, std::string_view& into) {
    auto end = closing_quote(start);
    if (end == std::string_view::npos) return false;
    // An escape is never shorter than what it stands for.
    char* out = memory_.allocate(end - start);
    char* put = out;
    std::size_t length = std::string_view::npos; // up to an escaped NUL
    at_ = start;
    while (at_ < end) {
      char c = text_[at_++];
      if (c != '\\') {
        *put++ = c;
        continue;
      }
      char escape = text_[at_++];
      if (escape == 'u') {
        if (!read_code_point(end, put)) return false;
        if (put[-1] == '\0' && length == std::string_view::npos)
          length = static_cast<std::size_t>(put - out) - 1;
        continue;
      }
      static constexpr std::string_view escapes = "bfnrt\"\\/";
      static constexpr std::string_view meanings = "\b\f\n\r\t\"\\/";
      auto which = escapes.find(escape);
      if (which == std::string_view::npos) return false;
      *put++ = meanings[which];
    }
    at_ = end + 1;
    into = std::string_view(out, static_cast<std::size_t>(put - out)).substr(0, length);
    return true;
  }

  /// Four hex digits at `at_`; -1 if there are none.
  long read_hex(std::size_t end) {
    if (end - at_ < 4) return -1;
    long code = 0;
    for (int i = 0; i < 4; ++i) {
      int digit = hex_digit(text_[at_++]);
      if (digit < 0) return -1;
      code = code * 16 + digit;
    }
    return code;
  }

  /// Behind `\u`.
  bool read_code_point(std::size_t end, char*& put) {
    long code = read_hex(end);
    if (code < 0 || (code >= 0xDC00 && code <= 0xDFFF)) return false;
    if (code >= 0xD800 && code <= 0xDBFF) {
      if (end - at_ < 6 || text_[at_] != '\\' || text_[at_ + 1] != 'u') return false;
      at_ += 2;
      long low = read_hex(end);
      if (low < 0xDC00 || low > 0xDFFF) return false;
      code = 0x10000 + ((code & 0x3FF) << 10 | (low & 0x3FF));
    }
    auto tail = [&](int shift) { *put++ = static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      *put++ = static_cast<char>(code);
    } else if (code < 0x800) {
      *put++ = static_cast<char>(0xC0 | code >> 6);
      tail(0);
    } else if (code < 0x10000) {
      *put++ = static_cast<char>(0xE0 | code >> 12);
      tail(6);
      tail(0);
    } else {
      *put++ = static_cast<char>(0xF0 | code >> 18);
      tail(12);
      tail(6);
      tail(0);
    }
    return true;
  }

  std::string_view text_;
  arena& memory_;
  std::size_t at_ = 0;
};

} // namespace

const value* parse(std::string_view text, arena& memory, std::size_t* end) {
  parser reader(text, memory);
  const value* root = reader.run();
  if (end) *end = reader.position();
  return root;
}

bool is_white_space(std::string_view text) noexcept {
  for (char c : text)
    if (!is_space(c)) return false;
  return true;
}

} // namespace picket::engine::json
