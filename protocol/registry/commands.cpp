#include "protocol/registry/commands.hpp"

#include "protocol/registry/codec.hpp"

namespace picket::protocol {

using codec::map_reader;
using codec::map_writer;

namespace {

constexpr std::string_view operation_names[] = {"agent_add",    "agent_remove", "agent_confirm",
                                                "agent_rekey",  "agent_groups", "group_put",
                                                "group_remove", "fence"};
static_assert(std::size(operation_names) == std::variant_size_v<command_arguments>);

void write_ids(map_writer& to, const std::vector<agent_id>& ids) {
  auto& list = to.value("ids");
  list.pack_array(static_cast<std::uint32_t>(ids.size()));
  for (auto id : ids)
    list.pack_uint64(id);
}

void write_evidence(map_writer& to, const std::vector<agent_evidence>& evidence) {
  auto& list = to.value("ev");
  list.pack_array(static_cast<std::uint32_t>(evidence.size()));
  for (const auto& one : evidence) {
    list.pack_array(4);
    list.pack_uint64(one.agent);
    list.pack_uint64(one.registration);
    list.pack_uint64(static_cast<std::uint64_t>(one.state));
    list.pack_int64(one.since_ms);
  }
}

void read_evidence(map_reader& from, std::vector<agent_evidence>& to) {
  const auto* list = from.find("ev");
  if (list == nullptr) return;
  bool good = list->type == msgpack::type::ARRAY;
  for (std::uint32_t i = 0; good && i < list->via.array.size; ++i) {
    const auto& item = list->via.array.ptr[i];
    good = item.type == msgpack::type::ARRAY && item.via.array.size == 4;
    if (!good) break;
    const auto* at = item.via.array.ptr;
    agent_evidence one;
    std::uint8_t state = 0;
    good = codec::get(at[0], one.agent) && codec::get(at[1], one.registration) && codec::get(at[2], state)
           && state <= static_cast<std::uint8_t>(agent_state::disconnected)
           && codec::get(at[3], one.since_ms);
    one.state = static_cast<agent_state>(state);
    to.push_back(one);
  }
  if (!good) from.complain("ev", "is no list of evidence");
}

struct argument_writer {
  map_writer& to;

  void operator()(const agent_add& args) {
    if (args.id != 0) to.number("id", args.id);
    to.text("n", args.name);
    to.binary("k", args.key);
    to.text("ip", args.address);
    to.text("src", args.source);
    to.texts("g", args.groups);
    to.text("ver", args.agent_version);
    to.text("kh", args.key_hash);
    to.flag("fe", args.force.enabled);
    to.flag("fk", args.force.key_mismatch);
    to.signed_number("fd", args.force.disconnected_time_s);
    to.signed_number("fa", args.force.after_registration_time_s);
    to.signed_number("rep", args.repeat_window_s);
    to.number("st", static_cast<std::uint8_t>(args.state));
    write_evidence(to, args.evidence);
  }
  void operator()(const agent_remove& args) {
    write_ids(to, args.ids);
    to.text("why", args.why);
  }
  void operator()(const agent_confirm& args) { write_ids(to, args.ids); }
  void operator()(const agent_rekey& args) {
    to.number("id", args.id);
    to.binary("k", args.key);
  }
  void operator()(const agent_groups& args) {
    to.number("id", args.id);
    to.number("ch", static_cast<std::uint8_t>(args.change));
    to.texts("g", args.groups);
  }
  void operator()(const group_put& args) { to.text("n", args.name); }
  void operator()(const group_remove& args) { to.text("n", args.name); }
  void operator()(const fence&) {}
};

struct argument_reader {
  map_reader& from;

  void operator()(agent_add& args) {
    std::uint8_t state = 0;
    from.read("id", args.id);
    from.read("n", args.name, true);
    from.read("k", args.key, true);
    from.read("ip", args.address, true);
    from.read("src", args.source);
    from.read("g", args.groups);
    from.read("ver", args.agent_version);
    from.read("kh", args.key_hash);
    from.read("fe", args.force.enabled);
    from.read("fk", args.force.key_mismatch);
    from.read("fd", args.force.disconnected_time_s);
    from.read("fa", args.force.after_registration_time_s);
    from.read("rep", args.repeat_window_s);
    from.read("st", state);
    if (state > static_cast<std::uint8_t>(confirmation::confirmed)) from.complain("st", "is no known state");
    args.state = static_cast<confirmation>(state);
    read_evidence(from, args.evidence);
  }
  void operator()(agent_remove& args) {
    from.read("ids", args.ids, true);
    from.read("why", args.why);
  }
  void operator()(agent_confirm& args) { from.read("ids", args.ids, true); }
  void operator()(agent_rekey& args) {
    from.read("id", args.id, true);
    from.read("k", args.key, true);
  }
  void operator()(agent_groups& args) {
    std::uint8_t change = 0;
    from.read("id", args.id, true);
    from.read("ch", change, true);
    from.read("g", args.groups, true);
    if (change > static_cast<std::uint8_t>(groups_change::remove)) from.complain("ch", "is no known change");
    args.change = static_cast<groups_change>(change);
  }
  void operator()(group_put& args) { from.read("n", args.name, true); }
  void operator()(group_remove& args) { from.read("n", args.name, true); }
  void operator()(fence&) {}
};

template <std::size_t I = 0>
bool choose(std::string_view operation, command_arguments& to) {
  if constexpr (I < std::variant_size_v<command_arguments>) {
    if (operation != operation_names[I]) return choose<I + 1>(operation, to);
    to.emplace<I>();
    return true;
  } else {
    return false;
  }
}

} // namespace

std::string_view name_of(const command_arguments& arguments) noexcept {
  return operation_names[arguments.index()];
}

std::string encode(const command& value) {
  msgpack::sbuffer buffer;
  codec::packer to{buffer};
  to.pack_array(6);
  codec::pack_text(to, name_of(value.arguments));
  to.pack_uint64(value.version);
  codec::pack(to, value.request);
  codec::pack_text(to, value.actor);
  codec::pack_text(to, value.from);
  map_writer arguments;
  arguments.signed_number("t", value.made_ms);
  argument_writer writer{arguments};
  std::visit(writer, value.arguments);
  std::string bytes{buffer.data(), buffer.size()};
  return bytes + std::move(arguments).finish(value.unknown);
}

result<command> decode_command(std::string_view bytes) noexcept {
  if (bytes.size() > max_command_bytes)
    return fail(errc::limit_reached, "a command above 65536 bytes", "command");
  auto tree = codec::unpack(bytes);
  if (!tree) return fail(errc::corrupt, "a command that is no msgpack value", "command");
  const auto& top = tree->get();
  if (top.type != msgpack::type::ARRAY || top.via.array.size != 6)
    return fail(errc::corrupt, "a command is a list of six", "command");
  const auto* at = top.via.array.ptr;
  command value;
  std::string operation;
  if (!codec::get(at[0], operation) || !codec::get(at[1], value.version) || !codec::get(at[2], value.request)
      || !codec::get(at[3], value.actor) || !codec::get(at[4], value.from))
    return fail(errc::corrupt, "the head of a command does not read", "command");
  if (!choose(operation, value.arguments))
    return fail(errc::invalid_argument, "unknown operation '" + operation.substr(0, 32) + "'", "command");
  map_reader from{at[5]};
  from.read("t", value.made_ms, true);
  argument_reader reader{from};
  std::visit(reader, value.arguments);
  if (!from.good()) return fail(errc::corrupt, "arguments that do not read: " + from.fault(), operation);
  value.unknown = from.unknown();
  return value;
}

} // namespace picket::protocol
