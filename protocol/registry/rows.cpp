#include "protocol/registry/rows.hpp"

#include "protocol/registry/codec.hpp"

namespace picket::protocol {

using codec::map_reader;
using codec::map_writer;

namespace {

/// Unpacks and reads one row; `fill` asks the reader for the keys.
template <class Row, class Fill>
result<Row> decode_row(std::string_view bytes, const char* table, Fill fill) noexcept {
  auto tree = codec::unpack(bytes);
  if (!tree) return fail(errc::corrupt, "a row that is no msgpack value", table);
  map_reader from{tree->get()};
  Row row;
  from.read("v", row.version, true);
  fill(from, row);
  if (!from.good()) return fail(errc::corrupt, "a row that does not read: " + from.fault(), table);
  row.unknown = from.unknown();
  return row;
}

void pack_result(codec::packer& to, const command_result& value) {
  map_writer map;
  map.number("c", value.code);
  if (!value.text.empty()) map.text("x", value.text);
  if (value.agent != 0) map.number("id", value.agent);
  if (!value.replaced.empty()) {
    auto& ids = map.value("rep");
    ids.pack_array(static_cast<std::uint32_t>(value.replaced.size()));
    for (auto id : value.replaced)
      ids.pack_uint64(id);
  }
  auto bytes = std::move(map).finish(value.unknown);
  // An empty body only appends bytes that are packed already.
  to.pack_str_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

bool get_result(const msgpack::object& from, command_result& to) {
  map_reader map{from};
  map.read("c", to.code, true);
  map.read("x", to.text);
  map.read("id", to.agent);
  map.read("rep", to.replaced);
  to.unknown = map.unknown();
  return map.good();
}

bool get_commands(const msgpack::object& from, std::vector<logged_command>& to) {
  if (from.type != msgpack::type::ARRAY) return false;
  for (std::uint32_t i = 0; i < from.via.array.size; ++i) {
    const auto& item = from.via.array.ptr[i];
    if (item.type != msgpack::type::ARRAY || item.via.array.size != 3) return false;
    logged_command one;
    const auto* at = item.via.array.ptr;
    if (!codec::get(at[0], one.request) || !codec::get(at[1], one.operation)) return false;
    if (!get_result(at[2], one.result)) return false;
    to.push_back(std::move(one));
  }
  return true;
}

bool get_audit(const msgpack::object& from, std::vector<audit_record>& to) {
  if (from.type != msgpack::type::ARRAY) return false;
  for (std::uint32_t i = 0; i < from.via.array.size; ++i) {
    std::vector<std::string> parts;
    if (!codec::get(from.via.array.ptr[i], parts) || parts.size() != 3) return false;
    audit_record one;
    one.actor = std::move(parts[0]);
    one.from = std::move(parts[1]);
    one.what = std::move(parts[2]);
    to.push_back(std::move(one));
  }
  return true;
}

} // namespace

std::string encode(const agent_row& row) {
  map_writer map;
  map.number("v", row.version);
  map.text("n", row.name);
  map.binary("k", row.key);
  map.text("ip", row.address);
  map.text("src", row.source);
  map.signed_number("t", row.time_ms);
  map.number("by", row.by);
  map.number("reg", row.registration);
  map.number("st", static_cast<std::uint8_t>(row.state));
  map.texts("g", row.groups);
  map.text("ver", row.agent_version);
  return std::move(map).finish(row.unknown);
}

result<agent_row> decode_agent_row(std::string_view bytes) noexcept {
  return decode_row<agent_row>(bytes, "agents", [](map_reader& from, agent_row& row) {
    std::uint8_t state = 0;
    from.read("n", row.name, true);
    from.read("k", row.key, true);
    from.read("ip", row.address, true);
    from.read("src", row.source);
    from.read("t", row.time_ms, true);
    from.read("by", row.by, true);
    from.read("reg", row.registration, true);
    from.read("st", state, true);
    from.read("g", row.groups);
    from.read("ver", row.agent_version);
    if (state > static_cast<std::uint8_t>(confirmation::confirmed)) from.complain("st", "is no known state");
    row.state = static_cast<confirmation>(state);
  });
}

std::string encode(const removed_row& row) {
  map_writer map;
  map.number("v", row.version);
  map.text("n", row.name);
  map.signed_number("t", row.time_ms);
  map.number("by", row.by);
  map.text("why", row.why);
  return std::move(map).finish(row.unknown);
}

result<removed_row> decode_removed_row(std::string_view bytes) noexcept {
  return decode_row<removed_row>(bytes, "removed", [](map_reader& from, removed_row& row) {
    from.read("n", row.name, true);
    from.read("t", row.time_ms, true);
    from.read("by", row.by, true);
    from.read("why", row.why);
  });
}

std::string encode(const group_row& row) {
  map_writer map;
  map.number("v", row.version);
  map.signed_number("t", row.time_ms);
  map.number("ver", row.content_version);
  return std::move(map).finish(row.unknown);
}

result<group_row> decode_group_row(std::string_view bytes) noexcept {
  return decode_row<group_row>(bytes, "groups", [](map_reader& from, group_row& row) {
    from.read("t", row.time_ms, true);
    from.read("ver", row.content_version);
  });
}

std::string encode(const head_row& row) {
  map_writer map;
  map.number("v", row.version);
  map.number("seq", row.sequence);
  map.number("next_agent_id", row.next_agent_id);
  map.number("next_node_id", row.next_node_id);
  map.signed_number("time_ms", row.time_ms);
  map.number("schema", row.schema);
  map.number("epoch", row.epoch);
  map.number("by", row.by);
  map.number("log_from", row.log_from);
  map.number("log_bytes", row.log_bytes);
  return std::move(map).finish(row.unknown);
}

result<head_row> decode_head_row(std::string_view bytes) noexcept {
  return decode_row<head_row>(bytes, "head", [](map_reader& from, head_row& row) {
    from.read("seq", row.sequence, true);
    from.read("next_agent_id", row.next_agent_id, true);
    from.read("next_node_id", row.next_node_id, true);
    from.read("time_ms", row.time_ms, true);
    from.read("schema", row.schema, true);
    from.read("epoch", row.epoch, true);
    from.read("by", row.by, true);
    from.read("log_from", row.log_from, true);
    from.read("log_bytes", row.log_bytes, true);
  });
}

std::string encode(const log_row& row) {
  map_writer map;
  map.number("v", row.version);
  map.signed_number("t", row.time_ms);
  map.number("by", row.by);
  auto& commands = map.value("c");
  commands.pack_array(static_cast<std::uint32_t>(row.commands.size()));
  for (const auto& one : row.commands) {
    commands.pack_array(3);
    codec::pack(commands, one.request);
    codec::pack_text(commands, one.operation);
    pack_result(commands, one.result);
  }
  auto& audit = map.value("a");
  audit.pack_array(static_cast<std::uint32_t>(row.audit.size()));
  for (const auto& one : row.audit) {
    audit.pack_array(3);
    codec::pack_text(audit, one.actor);
    codec::pack_text(audit, one.from);
    codec::pack_text(audit, one.what);
  }
  return std::move(map).finish(row.unknown);
}

result<log_row> decode_log_row(std::string_view bytes) noexcept {
  return decode_row<log_row>(bytes, "log", [](map_reader& from, log_row& row) {
    from.read("t", row.time_ms, true);
    from.read("by", row.by, true);
    if (const auto* commands = from.find("c"); commands != nullptr && !get_commands(*commands, row.commands))
      from.complain("c", "is no list of commands");
    if (const auto* audit = from.find("a"); audit != nullptr && !get_audit(*audit, row.audit))
      from.complain("a", "is no list of audit records");
  });
}

} // namespace picket::protocol
