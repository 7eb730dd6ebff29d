#include "protocol/agent/control.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/agent/json_text.hpp"

#include <cstdlib>

using namespace picket::protocol;

namespace {

void must(bool holds) {
  if (!holds) std::abort();
}

bool one_line(std::string_view text) { return text.find('\n') == std::string_view::npos; }

void check_keepalive(std::string_view body) {
  auto parsed = parse_keepalive(body);
  must(one_line(parsed.uname) && one_line(parsed.version) && one_line(parsed.merged_sum));
  std::size_t bytes = parsed.uname.size() + parsed.version.size() + parsed.agent_ip.size();
  for (const auto& label : parsed.labels) {
    must(one_line(label.key) && one_line(label.value));
    bytes += label.key.size() + label.value.size();
  }
  must(bytes <= body.size() + 8);
  auto os = parse_uname(parsed.uname);
  must(os.name.size() <= parsed.uname.size());
}

void check_event(std::string_view message) {
  if (auto event = parse_event_message(message)) {
    must(event->location.size() + event->text.size() + 3 == message.size());
    auto location = unescape_location(event->location);
    must(location.size() <= event->location.size());
    auto again = format_event_message(event->queue, location, event->text);
    auto reread = parse_event_message(again);
    // Only the empty location and text of the shortest message fall below the four bytes.
    if (again.size() < 4) return;
    must(reread && reread->text == event->text && unescape_location(reread->location) == location);
  }
}

} // namespace

/// Any bytes: no crash, parts are parts of the whole, valid UTF-8 stays as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view message{reinterpret_cast<const char*>(data), size};
  auto valid = with_valid_utf8(message);
  must(with_valid_utf8(valid) == valid);
  check_event(message);
  check_keepalive(message);
  parse_server_message(message);
  check_startup(message, {});
  auto quoted = "{\"a\":" + json_quoted(valid) + "}";
  auto found = find_json_text(quoted, "a");
  must(found.found == json_member::text && found.value == valid);
  if (is_control(message)) {
    auto control = classify_control(message);
    must(control.body.size() <= message.size());
    if (control.kind == control_kind::startup) check_startup(control.body, {});
  }
  return 0;
}
