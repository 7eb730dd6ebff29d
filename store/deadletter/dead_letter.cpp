#include "store/deadletter/dead_letter.hpp"

#include <algorithm>
#include <charconv>
#include <span>

#include <openssl/sha.h>

#include "base/bytes.hpp"
#include "base/time.hpp"
#include "protocol/agent/json_text.hpp"

namespace picket::store {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";
constexpr std::size_t longest_name_bytes = 128;

/// Bytes of the character that begins the text; 0: it is no valid one.
std::size_t character_bytes(std::string_view text) {
  auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  auto follows = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
  auto first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    if (!follows(1) || !follows(2)) return 0;
    bool wrong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f); // overlong; surrogates
    return wrong ? 0 : 3;
  }
  if (first < 0xf0 || first > 0xf4 || !follows(1) || !follows(2) || !follows(3)) return 0;
  bool wrong = (first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f);
  return wrong ? 0 : 4;
}

template <class Number>
bool read_number(std::string_view text, Number& to) {
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), to);
  return problem == std::errc{} && end == text.data() + text.size();
}

/// Members of a letter, written in order.
class member_writer {
public:
  void member(std::string_view name, std::string_view value) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_.append(name).append("\":").append(protocol::json_quoted(value));
  }
  void number(std::string_view name, std::int64_t value) { member(name, std::to_string(value)); }
  /// A member that begins a line of its own.
  void line(std::string_view name, std::string_view value) {
    text_ += ",\n\"";
    text_.append(name).append("\":").append(protocol::json_quoted(value));
  }
  std::string finish() && { return std::move(text_) + "}\n"; }

private:
  std::string text_;
};

/// Takes members out of a letter; remembers whether all were there.
class member_reader {
public:
  explicit member_reader(std::string_view text)
      : text_{text} {}

  std::string text(std::string_view name) {
    auto found = protocol::find_json_text(text_, name);
    if (found.found != protocol::json_member::text && fault_.empty()) fault_ = name;
    return std::move(found.value);
  }
  template <class Number>
  void number(std::string_view name, Number& to) {
    if (!read_number(text(name), to) && fault_.empty()) fault_ = name;
  }
  void complain(std::string_view name) {
    if (fault_.empty()) fault_ = name;
  }
  const std::string& fault() const noexcept { return fault_; }

private:
  std::string_view text_;
  std::string fault_;
};

tl::unexpected<error> corrupt(const std::string& member) {
  return fail(errc::corrupt, "a dead letter's member '" + member + "' is missing or wrong", {},
              "move the file away");
}

} // namespace

std::string replace_no_utf8(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    auto bytes = character_bytes(text);
    clean.append(bytes == 0 ? replacement : text.substr(0, bytes));
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return clean;
}

std::string letter_id(const batch_id& batch, std::uint32_t record) {
  return std::to_string(batch.boot) + "-" + std::to_string(batch.sequence) + "-" + std::to_string(record);
}

std::optional<std::array<std::uint64_t, 3>> parse_letter_id(std::string_view id) noexcept {
  std::array<std::uint64_t, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    auto end = i + 1 < numbers.size() ? id.find('-') : id.size();
    if (end == std::string_view::npos || !read_number(id.substr(0, end), numbers[i])) return std::nullopt;
    id.remove_prefix(std::min(end + 1, id.size()));
  }
  return numbers;
}

text_digest digest_of(std::string_view text) noexcept {
  text_digest digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return digest;
}

std::string format_letter(const dead_letter& letter) {
  const auto& head = letter.head;
  member_writer out;
  out.member("id", head.id);
  out.member("agent", to_text(head.agent));
  out.member("agent_name", replace_no_utf8(head.agent_name.substr(0, longest_name_bytes)));
  out.member("arrival", format_utc(head.arrival_ms));
  out.number("arrival_ms", head.arrival_ms);
  out.number("kept_ms", head.kept_ms);
  out.member("reason", replace_no_utf8(head.reason.substr(0, longest_name_bytes)));
  out.member("examined", head.examined ? "yes" : "no");
  out.member("node", replace_no_utf8(head.node.substr(0, longest_name_bytes)));
  out.number("batch_node", head.batch.node);
  out.number("batch_boot", head.batch.boot);
  out.member("batch", std::to_string(head.batch.sequence));
  out.number("record", head.record);
  out.member("text_bytes", std::to_string(letter.text.size()));
  auto digest = digest_of(letter.text);
  out.member("text_sha256", to_hex(std::as_bytes(std::span{digest})));
  out.line("location", replace_no_utf8(letter.location));
  out.line("text", replace_no_utf8(letter.text));
  out.line("form", letter.form == letter_form::sealed ? "sealed" : "message");
  out.member("bytes", to_hex(as_bytes(letter.bytes)));
  return std::move(out).finish();
}

result<letter_head> parse_letter_head(std::string_view begin_of_file) {
  // The first line alone, as an object of its own.
  std::string line{begin_of_file.substr(0, begin_of_file.substr(0, letter_head_bytes).find('\n'))};
  if (line.size() > letter_head_bytes || line.empty() || line.back() != ',') return corrupt("id");
  line.back() = '}';
  member_reader in{line};
  letter_head head;
  head.id = in.text("id");
  if (!parse_letter_id(head.id)) in.complain("id");
  in.number("agent", head.agent);
  head.agent_name = in.text("agent_name");
  in.number("arrival_ms", head.arrival_ms);
  in.number("kept_ms", head.kept_ms);
  head.reason = in.text("reason");
  head.examined = in.text("examined") == "yes";
  head.node = in.text("node");
  in.number("batch_node", head.batch.node);
  in.number("batch_boot", head.batch.boot);
  in.number("batch", head.batch.sequence);
  in.number("record", head.record);
  in.number("text_bytes", head.text_bytes);
  auto digest = from_hex(in.text("text_sha256"));
  if (digest && digest->size() == head.digest.size())
    for (std::size_t i = 0; i < head.digest.size(); ++i)
      head.digest[i] = std::to_integer<std::uint8_t>((*digest)[i]);
  else
    in.complain("text_sha256");
  if (!in.fault().empty()) return corrupt(in.fault());
  return head;
}

result<dead_letter> parse_letter(std::string_view file) {
  auto head = parse_letter_head(file);
  if (!head) return tl::unexpected<error>(head.error());
  member_reader in{file};
  dead_letter letter;
  letter.head = std::move(*head);
  letter.location = in.text("location");
  letter.text = in.text("text");
  auto form = in.text("form");
  if (form != "sealed" && form != "message") in.complain("form");
  letter.form = form == "sealed" ? letter_form::sealed : letter_form::message;
  auto bytes = from_hex(in.text("bytes"));
  if (!bytes) in.complain("bytes");
  if (!in.fault().empty()) return corrupt(in.fault());
  letter.bytes = as_text(*bytes);
  return letter;
}

} // namespace picket::store
