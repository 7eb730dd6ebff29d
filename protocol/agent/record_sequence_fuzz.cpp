// Records on one connection in sequence, some of them sealed with the agent's key, so that what stands behind
// the cryptography is reached in every order: frames in pieces, start-ups, keep-alives, events, counters that
// repeat or go back, rubbish between them. The input is a script: an operation, its length, its bytes.
//
// Holds: a frame is cut from what was put in and nothing else; a sealed message opens to itself; a pair is
// fresh once; a start-up whose pair was seen never takes a living agent's place.

#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "protocol/agent/connection_state.hpp"
#include "protocol/agent/control.hpp"
#include "protocol/agent/counters.hpp"
#include "protocol/agent/event_message.hpp"
#include "protocol/agent/frame.hpp"
#include "protocol/agent/record.hpp"

namespace {

using namespace picket;
using namespace picket::protocol;

void must(bool holds) {
  if (!holds) std::abort();
}

/// Reads the script.
class script {
public:
  script(const std::uint8_t* data, std::size_t size)
      : rest_{reinterpret_cast<const char*>(data), size} {}
  bool more() const { return rest_.size() >= 2; }
  unsigned operation() {
    auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return first;
  }
  std::string_view bytes() {
    std::size_t size = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    size = std::min(size * 4, rest_.size());
    auto part = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return part;
  }

private:
  std::string_view rest_;
};

/// The server's side of one agent, without sockets.
struct server_side {
  record_opener opener{derive_record_key("007", "web-01", "5f1c0d7be2a94836c7d05e91")};
  open_scratch scratch;
  byte_buffer waiting;
  takeover_guard guard;
  receive_window window;
  connection_state state;
  std::set<std::pair<std::uint32_t, std::uint32_t>> fresh;
  std::int64_t now_ms = 1'000'000;

  void take(byte_view chunk) {
    waiting.insert(waiting.end(), chunk.begin(), chunk.end());
    std::size_t used = 0;
    for (;;) {
      auto rest = byte_view{waiting}.subspan(used);
      auto cut = cut_frame(rest);
      if (cut.status != frame_status::complete) {
        if (cut.status != frame_status::incomplete) used = waiting.size(); // the connection would be closed
        break;
      }
      must(cut.consumed <= rest.size() && cut.record.size() < cut.consumed);
      used += cut.consumed;
      take_record(cut.record);
    }
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<long>(used));
  }

  void take_record(byte_view record) {
    if (is_ping(record)) return;
    auto head = parse_record_head(record);
    if (!head) return;
    auto opened = opener.open(head->cipher, head->ciphertext, scratch);
    if (!opened) return;
    auto pair = opened->counters;
    if (window.take(pair) == receive_window::verdict::fresh)
      must(fresh.emplace(pair.global, pair.local).second);
    if (!is_control(opened->message)) {
      auto event = parse_event_message(opened->message);
      if (event) must(event->text.size() <= opened->message.size());
      guard.on_record(pair);
      return;
    }
    auto control = classify_control(opened->message);
    if (control.kind == control_kind::startup) {
      bool seen = !(guard.highest() < pair);
      auto verdict = guard.on_startup(pair, now_ms, true, now_ms, {});
      if (seen) must(verdict != takeover_verdict::take_over && verdict != takeover_verdict::first);
      state.on_startup(now_ms, check_startup(control.body, {}));
    } else if (control.kind == control_kind::keepalive) {
      parse_keepalive(with_valid_utf8(control.body));
      state.on_keepalive(now_ms);
    } else if (control.kind == control_kind::shutdown) {
      state.on_shutdown(now_ms);
    }
    guard.on_record(pair);
  }
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static record_sealer sealer{derive_record_key("007", "web-01", "5f1c0d7be2a94836c7d05e91")};
  static seal_scratch sealing{1};
  server_side server;
  counter_pair next{1, 1};
  static constexpr std::string_view kinds[] = {"#!-agent startup ", "#!-", "#!-agent shutdown ",
                                               "1:/var/log/x:"};
  for (script input{data, size}; input.more();) {
    auto operation = input.operation();
    auto bytes = input.bytes();
    server.now_ms += operation;
    if (operation % 8 == 7) {
      server.take(as_bytes(bytes));
      continue;
    }
    std::string message{operation % 8 < 4 ? kinds[operation % 8] : std::string_view{}};
    message += bytes;
    if (message.empty()) continue;
    if (operation & 0x40U) next.global += 1 + (operation >> 4U) % 4;
    if (operation & 0x80U) next.local = bytes.empty() ? 0 : static_cast<unsigned char>(bytes.front());
    seal_options options;
    options.cipher = operation & 0x20U ? record_cipher::blowfish : record_cipher::aes;
    options.counters = next;
    options.id = operation & 0x10U ? "007" : "";
    ++next.local;
    byte_buffer frame;
    if (!sealer.seal_framed(message, options, frame, sealing)) continue;
    auto half = frame.size() * (operation % 5) / 5; // in two pieces
    server.take(byte_view{frame}.first(half));
    server.take(byte_view{frame}.subspan(half));
  }
  return 0;
}
