#include "protocol/agent/control.hpp"

#include "protocol/agent/json_text.hpp"

namespace picket::protocol {

namespace {

constexpr std::string_view startup_word = "agent startup ";
constexpr std::string_view shutdown_word = "agent shutdown ";
constexpr std::string_view request_word = "req ";

bool starts_with(std::string_view text, std::string_view word) noexcept {
  return text.substr(0, word.size()) == word;
}

bool is_continuation(unsigned char byte) noexcept { return (byte & 0xc0U) == 0x80U; }

/// Length of the valid UTF-8 sequence at the front; 0 if there is none.
std::size_t utf8_length(std::string_view text) noexcept {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  auto lead = byte(0);
  if (lead < 0x80) return 1;
  std::size_t length = lead >= 0xc2 && lead < 0xe0   ? 2
                       : lead >= 0xe0 && lead < 0xf0 ? 3
                       : lead >= 0xf0 && lead < 0xf5 ? 4
                                                     : 0;
  if (length == 0 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if (!is_continuation(byte(i))) return 0;
  // Overlong forms, surrogates, above U+10FFFF.
  if (lead == 0xe0 && byte(1) < 0xa0) return 0;
  if (lead == 0xed && byte(1) > 0x9f) return 0;
  if (lead == 0xf0 && byte(1) < 0x90) return 0;
  if (lead == 0xf4 && byte(1) > 0x8f) return 0;
  return length;
}

struct version_number {
  int major = 0;
  int minor = 0;
};

int leading_number(std::string_view text) noexcept {
  int number = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || number > 1'000'000) break;
    number = number * 10 + (c - '0');
  }
  return number;
}

version_number read_version(std::string_view text) noexcept {
  text = text.substr(0, 9);
  if (auto v = text.find('v'); v != std::string_view::npos) text.remove_prefix(v + 1);
  version_number version;
  version.major = leading_number(text);
  if (auto dot = text.find('.'); dot != std::string_view::npos)
    version.minor = leading_number(text.substr(dot + 1));
  return version;
}

} // namespace

control_message classify_control(std::string_view message) noexcept {
  control_message control;
  auto text = message.substr(control_mark.size());
  control.body = text;
  if (starts_with(text, startup_word)) {
    control.kind = control_kind::startup;
    control.body.remove_prefix(startup_word.size());
  } else if (text == shutdown_word) {
    control.kind = control_kind::shutdown;
    control.body = {};
  } else if (starts_with(text, request_word)) {
    control.kind = control_kind::request_answer;
    control.body.remove_prefix(request_word.size());
  } else if (text.find('\n') != std::string_view::npos) {
    control.kind = control_kind::keepalive;
  }
  return control;
}

std::string with_valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  while (!text.empty()) {
    auto length = utf8_length(text);
    if (length == 0) {
      valid += "\xef\xbf\xbd";
      length = 1;
    } else {
      valid.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  return valid;
}

bool is_higher_version(std::string_view agent, std::string_view server) noexcept {
  auto a = read_version(agent);
  auto s = read_version(server);
  return a.major != s.major ? a.major > s.major : a.minor > s.minor;
}

version_verdict check_startup(std::string_view startup_body, const version_policy& policy) {
  auto version = find_json_text(startup_body, "version");
  switch (version.found) {
  case json_member::not_json:
    return version_verdict::accepted;
  case json_member::absent:
  case json_member::not_text:
    return version_verdict::missing;
  case json_member::text:
    break;
  }
  if (!policy.allow_higher && is_higher_version(version.value, policy.server_version))
    return version_verdict::too_high;
  return version_verdict::accepted;
}

std::string startup_version(std::string_view startup_body) {
  return find_json_text(startup_body, "version").value;
}

std::string format_startup(std::string_view version) {
  std::string message{control_mark};
  message += startup_word;
  if (!version.empty()) message += "{\"version\":" + json_quoted(version) + "}";
  return message;
}

std::string format_request_answer(std::string_view counter, std::string_view text) {
  std::string message{control_mark};
  message.append(request_word).append(counter).append(" ").append(text);
  return message;
}

std::string format_err(std::string_view text) {
  return std::string{control_mark} + "err {\"message\":" + json_quoted(text) + "}";
}

server_message parse_server_message(std::string_view message) {
  server_message parsed;
  if (message == ack_message) {
    parsed.kind = server_message_kind::ack;
    return parsed;
  }
  if (!is_control(message)) return parsed;
  auto text = message.substr(control_mark.size());
  auto take = [&](std::string_view word, server_message_kind kind) {
    if (!starts_with(text, word)) return false;
    parsed.kind = kind;
    parsed.body = text.substr(word.size());
    return true;
  };
  if (take("err ", server_message_kind::err)) {
    parsed.body = find_json_text(parsed.body, "message").value;
  } else if (take("up file ", server_message_kind::file_begin)) {
    while (!parsed.body.empty() && parsed.body.back() == '\n')
      parsed.body.pop_back();
  } else if (!take("force_reconnect", server_message_kind::force_reconnect)
             && !take("req ", server_message_kind::request)
             && !take("execd ", server_message_kind::active_response)
             && !take("close file ", server_message_kind::file_end)) {
    parsed.body = text;
  }
  return parsed;
}

} // namespace picket::protocol
