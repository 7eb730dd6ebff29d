#include "engine/event/json.hpp"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

namespace picket::engine::json {

namespace {

class printer {
public:
  printer(std::string& out, std::size_t bytes_max)
      : out_(out)
      , bytes_max_(bytes_max) {}

  bool print(const value& from, std::size_t depth) {
    switch (from.kind) {
    case kind::null:
      return put("null");
    case kind::boolean_false:
      return put("false");
    case kind::boolean_true:
      return put("true");
    case kind::number:
      return print_number(from.number);
    case kind::string:
      return print_string(from.text);
    case kind::array:
      return print_array(from, depth + 1);
    case kind::object:
      return print_object(from, depth + 1);
    }
    return false;
  }

private:
  bool put(std::string_view text) {
    if (bytes_max_ - out_.size() < text.size()) return false;
    out_.append(text);
    return true;
  }
  bool put_tabs(std::size_t count) {
    if (bytes_max_ - out_.size() < count) return false;
    out_.append(count, '\t');
    return true;
  }

  bool print_number(double number) {
    if (!std::isfinite(number)) return put("null");
    char text[64];
    std::snprintf(text, sizeof text, "%1.15g", number);
    if (std::strtod(text, nullptr) != number) std::snprintf(text, sizeof text, "%1.17g", number);
    return put(text);
  }

  bool print_string(std::string_view text) {
    if (!put("\"")) return false;
    for (char c : text) {
      if (!print_byte(c)) return false;
    }
    return put("\"");
  }

  bool print_byte(char c) {
    switch (c) {
    case '"':
      return put("\\\"");
    case '\\':
      return put("\\\\");
    case '\b':
      return put("\\b");
    case '\f':
      return put("\\f");
    case '\n':
      return put("\\n");
    case '\r':
      return put("\\r");
    case '\t':
      return put("\\t");
    default:
      break;
    }
    if (static_cast<unsigned char>(c) >= 0x20) return put({&c, 1});
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    return put(escape);
  }

  bool print_array(const value& from, std::size_t depth) {
    if (!put("[")) return false;
    for (const value* each = from.first; each; each = each->next) {
      if (!print(*each, depth) || (each->next && !put(", "))) return false;
    }
    return put("]");
  }

  bool print_object(const value& from, std::size_t depth) {
    if (!put("{\n")) return false;
    for (const value* each = from.first; each; each = each->next) {
      if (!put_tabs(depth) || !print_string(each->key) || !put(":\t") || !print(*each, depth)
          || !put(each->next ? ",\n" : "\n"))
        return false;
    }
    return put_tabs(depth - 1) && put("}");
  }

  std::string& out_;
  std::size_t bytes_max_;
};

} // namespace

bool print(const value& from, std::string& out, std::size_t bytes_max) {
  return out.size() <= bytes_max && printer(out, bytes_max).print(from, 0);
}

std::string number_text(double number, bool* whole) {
  constexpr double int_min = std::numeric_limits<int>::min();
  constexpr double int_max = std::numeric_limits<int>::max();
  if (whole) *whole = true;
  if (number >= int_min && number <= int_max && number == std::trunc(number))
    return std::to_string(static_cast<int>(number));
  constexpr int characters_max = 63;
  char text[characters_max + 1];
  int length = std::snprintf(text, sizeof text, "%f", number);
  if (whole) *whole = length <= characters_max;
  return text;
}

} // namespace picket::engine::json
