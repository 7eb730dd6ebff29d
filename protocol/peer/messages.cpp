#include "protocol/peer/messages.hpp"

#include <algorithm>

#include "protocol/peer/guard.hpp"
#include "protocol/registry/codec.hpp"
#include "protocol/registry/commands.hpp"

namespace picket::protocol::peer {

using codec::map_reader;
using codec::map_writer;

namespace {

constexpr std::size_t max_result_bytes = 64 * 1024;
constexpr const char* advice =
    "nothing: the connection is closed and made anew; if it stays, compare versions";

std::string_view cut(std::string_view text, std::size_t most) { return text.substr(0, most); }

void need(map_reader& from, std::string_view key, bool holds, std::string_view what = "is out of range") {
  if (!holds) from.complain(key, what);
}

struct body_writer {
  map_writer& to;

  void operator()(const hello& what) {
    to.text("cluster", cut(what.cluster, max_name_bytes));
    to.number("node", what.node);
    to.text("name", cut(what.name, max_name_bytes));
    to.text("version", cut(what.version, max_name_bytes));
    to.number("oldest", what.oldest);
    to.number("newest", what.newest);
    to.number("boot", what.boot);
    auto& list = to.value("can");
    auto count = std::min(what.capabilities.size(), max_capabilities);
    list.pack_array(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i)
      codec::pack_text(list, cut(what.capabilities[i], max_name_bytes));
  }
  void operator()(const heartbeat& what) {
    to.number("seq", what.sequence);
    to.number("boot", what.boot);
    to.signed_number("sent", what.steady_ms);
    to.signed_number("wall", what.wall_ms);
    to.text("version", cut(what.version, max_name_bytes));
    to.number("load", what.load_permille);
    to.number("free", what.free_executors);
    to.flag("ingest", what.ready_ingest);
    to.flag("control", what.ready_control);
    to.flag("drain", what.draining);
    to.number("rev", what.registry_revision);
    to.number("view", what.view_number);
    auto& list = to.value("hear");
    auto count = std::min(what.heard.size(), max_heard);
    list.pack_array(static_cast<std::uint32_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      list.pack_array(2);
      list.pack_uint32(what.heard[i].node);
      list.pack_uint32(what.heard[i].silent_ms);
    }
  }
  void operator()(const forwarded_command& what) {
    to.number("id", what.id);
    to.number("limit", what.limit_ms);
    to.binary("command", what.command);
  }
  void operator()(const command_answer& what) {
    to.number("id", what.id);
    to.number("how", static_cast<std::uint8_t>(what.outcome));
    to.number("rev", what.revision);
    to.number("code", what.code);
    to.text("text", cut(what.text, max_text_bytes));
    to.binary("result", what.result);
  }
  void operator()(const request& what) {
    to.number("id", what.id);
    to.number("kind", what.kind);
    to.number("limit", what.limit_ms);
    to.binary("body", what.body);
  }
  void operator()(const response& what) {
    to.number("id", what.id);
    to.number("code", what.code);
    to.text("text", cut(what.text, max_text_bytes));
    to.binary("body", what.body);
  }
  void operator()(const close& what) {
    to.number("cause", static_cast<std::uint8_t>(what.cause));
    to.text("text", cut(what.text, max_text_bytes));
  }
  void operator()(const part& what) {
    to.number("msg", what.message);
    to.number("at", what.offset);
    to.number("of", what.total);
    to.number("ver", what.version);
    to.number("type", what.type);
    to.binary("bytes", what.bytes);
  }
};

void read_heard(map_reader& from, std::vector<heard_node>& to) {
  const auto* list = from.find("hear");
  if (list == nullptr) return;
  bool good = list->type == msgpack::type::ARRAY && list->via.array.size <= max_heard;
  for (std::uint32_t i = 0; good && i < list->via.array.size; ++i) {
    const auto& item = list->via.array.ptr[i];
    // A later version may say more of each node behind the two.
    good = item.type == msgpack::type::ARRAY && item.via.array.size >= 2;
    if (!good) break;
    heard_node one;
    good = codec::get(item.via.array.ptr[0], one.node) && codec::get(item.via.array.ptr[1], one.silent_ms);
    to.push_back(one);
  }
  if (!good) from.complain("hear", "is no list of nodes");
}

struct body_reader {
  map_reader& from;

  void name(std::string_view key, std::string& to, std::size_t least) {
    from.read(key, to, least > 0);
    need(from, key, to.size() >= least && to.size() <= max_name_bytes, "has the wrong length");
  }
  void text(std::string_view key, std::string& to) {
    from.read(key, to);
    need(from, key, to.size() <= max_text_bytes, "is too long");
  }

  void operator()(hello& what) {
    name("cluster", what.cluster, 1);
    from.read("node", what.node, true);
    need(from, "node", what.node != 0);
    name("name", what.name, 1);
    name("version", what.version, 0);
    from.read("oldest", what.oldest, true);
    from.read("newest", what.newest, true);
    need(from, "oldest", what.oldest >= 1 && what.oldest <= what.newest);
    from.read("boot", what.boot, true);
    from.read("can", what.capabilities);
    bool fits = what.capabilities.size() <= max_capabilities;
    for (const auto& one : what.capabilities)
      fits = fits && one.size() <= max_name_bytes;
    need(from, "can", fits);
  }
  void operator()(heartbeat& what) {
    from.read("seq", what.sequence, true);
    from.read("boot", what.boot, true);
    from.read("sent", what.steady_ms, true);
    from.read("wall", what.wall_ms, true);
    name("version", what.version, 0);
    from.read("load", what.load_permille);
    from.read("free", what.free_executors);
    from.read("ingest", what.ready_ingest);
    from.read("control", what.ready_control);
    from.read("drain", what.draining);
    from.read("rev", what.registry_revision);
    from.read("view", what.view_number);
    read_heard(from, what.heard);
  }
  void operator()(forwarded_command& what) {
    from.read("id", what.id, true);
    from.read("limit", what.limit_ms, true);
    need(from, "limit", what.limit_ms != 0);
    from.read("command", what.command, true);
    need(from, "command", !what.command.empty() && what.command.size() <= max_command_bytes);
  }
  void operator()(command_answer& what) {
    std::uint8_t how = 0;
    from.read("id", what.id, true);
    from.read("how", how, true);
    // An outcome of a later version: whatever it is, the asker cannot rely on it.
    what.outcome = how > static_cast<std::uint8_t>(command_outcome::not_writer)
                       ? command_outcome::unknown
                       : static_cast<command_outcome>(how);
    from.read("rev", what.revision);
    from.read("code", what.code);
    text("text", what.text);
    from.read("result", what.result);
    need(from, "result", what.result.size() <= max_result_bytes);
  }
  void operator()(request& what) {
    from.read("id", what.id, true);
    from.read("kind", what.kind, true);
    from.read("limit", what.limit_ms);
    from.read("body", what.body, true);
  }
  void operator()(response& what) {
    from.read("id", what.id, true);
    from.read("code", what.code);
    text("text", what.text);
    from.read("body", what.body);
  }
  void operator()(close& what) {
    std::uint8_t cause = 0;
    from.read("cause", cause);
    what.cause = cause > static_cast<std::uint8_t>(close_cause::superseded) ? close_cause::other
                                                                            : static_cast<close_cause>(cause);
    text("text", what.text);
  }
  void operator()(part& what) {
    from.read("msg", what.message, true);
    from.read("at", what.offset, true);
    from.read("of", what.total, true);
    from.read("ver", what.version, true);
    from.read("type", what.type, true);
    from.read("bytes", what.bytes, true);
    need(from, "of", what.total <= max_message_bytes);
    need(from, "bytes", !what.bytes.empty());
    // Sums of 64 bit, so that they cannot wrap.
    need(from, "at", std::uint64_t{what.offset} + what.bytes.size() <= what.total);
    need(from, "type", what.type != static_cast<std::uint8_t>(message_type::part), "is a part of parts");
  }
};

template <std::size_t I = 0>
bool choose(std::uint8_t type, message& to) {
  if constexpr (I < std::variant_size_v<message>) {
    if (type != I + 1) return choose<I + 1>(type, to);
    to.emplace<I>();
    return true;
  } else {
    return false;
  }
}

} // namespace

std::string_view name_of(message_type type) noexcept {
  switch (type) {
  case message_type::hello:
    return "hello";
  case message_type::heartbeat:
    return "heartbeat";
  case message_type::command:
    return "command";
  case message_type::command_answer:
    return "command_answer";
  case message_type::request:
    return "request";
  case message_type::response:
    return "response";
  case message_type::close:
    return "close";
  case message_type::part:
    return "part";
  }
  return "unknown";
}

std::string_view name_of(close_cause cause) noexcept {
  switch (cause) {
  case close_cause::other:
    return "other";
  case close_cause::leaving:
    return "leaving";
  case close_cause::wrong_cluster:
    return "wrong_cluster";
  case close_cause::wrong_node:
    return "wrong_node";
  case close_cause::not_member:
    return "not_member";
  case close_cause::no_common_version:
    return "no_common_version";
  case close_cause::duplicate:
    return "duplicate";
  case close_cause::bad_frame:
    return "bad_frame";
  case close_cause::superseded:
    return "superseded";
  }
  return "unknown";
}

std::string_view name_of(command_outcome outcome) noexcept {
  switch (outcome) {
  case command_outcome::done:
    return "done";
  case command_outcome::refused:
    return "refused";
  case command_outcome::unavailable:
    return "unavailable";
  case command_outcome::unknown:
    return "unknown";
  case command_outcome::busy:
    return "busy";
  case command_outcome::too_late:
    return "too_late";
  case command_outcome::not_writer:
    return "not_writer";
  }
  return "unknown";
}

message_type type_of(const message& what) noexcept { return static_cast<message_type>(what.index() + 1); }

std::string encode_body(const message& what) {
  map_writer to;
  body_writer writer{to};
  std::visit(writer, what);
  return std::move(to).finish({});
}

std::string encode(const message& what) {
  return framed(body_version, static_cast<std::uint8_t>(type_of(what)), encode_body(what));
}

result<std::optional<message>> decode(const frame& from) noexcept {
  message what;
  if (from.version != body_version || !choose(from.type, what)) return std::nullopt;
  auto where = std::string{name_of(static_cast<message_type>(from.type))};
  auto tree = unpack_guarded(from.body);
  if (!tree)
    return fail(errc::corrupt, "a frame of another node is no msgpack map within limits", where, advice);
  map_reader reader{tree->get()};
  if (reader.good()) {
    body_reader body{reader};
    std::visit(body, what);
  }
  if (!reader.good()) return fail(errc::corrupt, "a frame of another node: " + reader.fault(), where, advice);
  return what;
}

} // namespace picket::protocol::peer
