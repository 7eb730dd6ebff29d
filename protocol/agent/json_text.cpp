#include "protocol/agent/json_text.hpp"

#include <cstdint>

namespace picket::protocol {

namespace {

constexpr int max_depth = 32;

void append_utf8(std::string& to, std::uint32_t code) {
  if (code < 0x80) {
    to.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    to.push_back(static_cast<char>(0xc0 | code >> 6U));
    to.push_back(static_cast<char>(0x80 | (code & 0x3fU)));
  } else if (code < 0x10000) {
    to.push_back(static_cast<char>(0xe0 | code >> 12U));
    to.push_back(static_cast<char>(0x80 | (code >> 6U & 0x3fU)));
    to.push_back(static_cast<char>(0x80 | (code & 0x3fU)));
  } else {
    to.push_back(static_cast<char>(0xf0 | code >> 18U));
    to.push_back(static_cast<char>(0x80 | (code >> 12U & 0x3fU)));
    to.push_back(static_cast<char>(0x80 | (code >> 6U & 0x3fU)));
    to.push_back(static_cast<char>(0x80 | (code & 0x3fU)));
  }
}

/// Reads one value from the front; every method answers false where the text is no JSON.
class scanner {
public:
  explicit scanner(std::string_view text)
      : text_(text) {}

  bool object(std::string_view key, json_text& found) {
    skip_space();
    if (!peek('{')) return value(0);
    ++at_;
    skip_space();
    if (take('}')) return true;
    do {
      std::string name;
      skip_space();
      if (!string(&name)) return false;
      skip_space();
      if (!take(':')) return false;
      skip_space();
      if (name == key && found.found != json_member::text && found.found != json_member::not_text) {
        found.found = peek('"') ? json_member::text : json_member::not_text;
        if (!(peek('"') ? string(&found.value) : value(1))) return false;
      } else if (!value(1)) {
        return false;
      }
      skip_space();
    } while (take(','));
    return take('}');
  }

private:
  bool peek(char c) const { return at_ < text_.size() && text_[at_] == c; }
  bool take(char c) {
    if (!peek(c)) return false;
    ++at_;
    return true;
  }
  void skip_space() {
    while (at_ < text_.size() && static_cast<unsigned char>(text_[at_]) <= ' ')
      ++at_;
  }

  bool value(int depth) {
    skip_space();
    if (depth > max_depth || at_ >= text_.size()) return false;
    switch (text_[at_]) {
    case '"':
      return string(nullptr);
    case '{':
      return list('}', depth, true);
    case '[':
      return list(']', depth, false);
    case 't':
      return word("true");
    case 'f':
      return word("false");
    case 'n':
      return word("null");
    default:
      return number();
    }
  }

  bool list(char closing, int depth, bool named) {
    ++at_;
    skip_space();
    if (take(closing)) return true;
    do {
      skip_space();
      if (named) {
        if (!string(nullptr)) return false;
        skip_space();
        if (!take(':')) return false;
      }
      if (!value(depth + 1)) return false;
      skip_space();
    } while (take(','));
    return take(closing);
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool number() {
    auto begin = at_;
    take('-');
    auto digits = at_;
    while (at_ < text_.size()
           && std::string_view{"0123456789.eE+-"}.find(text_[at_]) != std::string_view::npos)
      ++at_;
    return at_ > digits && text_[digits] >= '0' && text_[digits] <= '9' && at_ > begin;
  }

  bool hex4(std::uint32_t& code) {
    if (text_.size() - at_ < 4) return false;
    code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      char c = text_[at_];
      code <<= 4U;
      if (c >= '0' && c <= '9')
        code |= static_cast<std::uint32_t>(c - '0');
      else if ((c | 32) >= 'a' && (c | 32) <= 'f')
        code |= static_cast<std::uint32_t>((c | 32) - 'a' + 10);
      else
        return false;
    }
    return true;
  }

  bool escape(std::string* to) {
    static constexpr std::string_view names = "\"\\/bfnrt";
    static constexpr std::string_view values = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) return false;
    char c = text_[at_++];
    if (c != 'u') {
      auto index = names.find(c);
      if (index == std::string_view::npos) return false;
      if (to != nullptr) to->push_back(values[index]);
      return true;
    }
    std::uint32_t code = 0;
    if (!hex4(code)) return false;
    if (code >= 0xd800 && code < 0xdc00) {
      std::uint32_t low = 0;
      if (!take('\\') || !take('u') || !hex4(low) || low < 0xdc00 || low > 0xdfff) return false;
      code = 0x10000 + ((code - 0xd800) << 10U) + (low - 0xdc00);
    } else if (code >= 0xdc00 && code <= 0xdfff) {
      return false;
    }
    if (to != nullptr) append_utf8(*to, code);
    return true;
  }

  bool string(std::string* to) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (c == '\\') {
        if (!escape(to)) return false;
      } else if (to != nullptr) {
        to->push_back(c);
      }
    }
    return false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

} // namespace

json_text find_json_text(std::string_view json, std::string_view key) {
  json_text found;
  found.found = json_member::absent;
  if (!scanner{json}.object(key, found)) return {};
  if (found.found != json_member::text) found.value.clear();
  return found;
}

std::string json_quoted(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += digits[byte >> 4U];
      quoted += digits[byte & 15U];
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

} // namespace picket::protocol
