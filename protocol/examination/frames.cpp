#include "protocol/examination/frames.hpp"

#include <array>

#include "base/bytes.hpp"
#include "protocol/registry/codec.hpp"

namespace picket::protocol::examination {

namespace {

using codec::map_reader;
using codec::map_writer;
using codec::pack_text;

constexpr std::size_t length_bytes = 4;

std::string framed(std::string body) {
  std::array<std::byte, length_bytes> length;
  store_le32(length.data(), static_cast<std::uint32_t>(body.size()));
  body.insert(0, as_text(length));
  return body;
}

void pack_binary(codec::packer& to, std::string_view bytes) {
  to.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  to.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

void pack_flag(codec::packer& to, bool value) { value ? to.pack_true() : to.pack_false(); }

void pack(codec::packer& to, const agent_facts& agent) {
  to.pack_array(6);
  to.pack_uint32(agent.id);
  for (const auto* text : {&agent.name, &agent.key, &agent.registered_address, &agent.address})
    pack_text(to, *text);
  to.pack_array(static_cast<std::uint32_t>(agent.labels.size()));
  for (const auto& label : agent.labels) {
    to.pack_array(3);
    pack_text(to, label.key);
    pack_text(to, label.value);
    pack_flag(to, label.hidden);
  }
}

void pack(codec::packer& to, const record& one) {
  to.pack_array(4);
  to.pack_uint32(one.agent);
  to.pack_uint8(static_cast<std::uint8_t>(one.form));
  to.pack_int64(one.arrival_ms);
  pack_binary(to, one.bytes);
}

bool is_array(const msgpack::object& from, std::uint32_t size) {
  return from.type == msgpack::type::ARRAY && from.via.array.size == size;
}

bool get(const msgpack::object& from, agent_facts::label& to) {
  if (!is_array(from, 3)) return false;
  const auto* at = from.via.array.ptr;
  return codec::get(at[0], to.key) && codec::get(at[1], to.value) && codec::get(at[2], to.hidden);
}

bool get(const msgpack::object& from, record& to) {
  if (!is_array(from, 4)) return false;
  const auto* at = from.via.array.ptr;
  std::uint8_t form = 0;
  if (!codec::get(at[1], form) || form > static_cast<std::uint8_t>(record_form::none)) return false;
  to.form = static_cast<record_form>(form);
  return codec::get(at[0], to.agent) && codec::get(at[2], to.arrival_ms) && codec::get(at[3], to.bytes);
}

bool get(const msgpack::object& from, agent_facts& to);

template <class T>
bool get_all(const msgpack::object& from, std::vector<T>& to) {
  if (from.type != msgpack::type::ARRAY) return false;
  to.resize(from.via.array.size);
  for (std::uint32_t i = 0; i < from.via.array.size; ++i)
    if (!get(from.via.array.ptr[i], to[i])) return false;
  return true;
}

bool get(const msgpack::object& from, agent_facts& to) {
  if (!is_array(from, 6)) return false;
  const auto* at = from.via.array.ptr;
  return codec::get(at[0], to.id) && codec::get(at[1], to.name) && codec::get(at[2], to.key)
         && codec::get(at[3], to.registered_address) && codec::get(at[4], to.address)
         && get_all(at[5], to.labels);
}

template <class T>
void read_all(map_reader& reader, std::string_view key, std::vector<T>& to) {
  const auto* value = reader.find(key);
  if (value == nullptr || !get_all(*value, to)) reader.complain(key, "is no list of the right form");
}

tl::unexpected<error> corrupt(const std::string& what) {
  return fail(errc::corrupt, "examination: " + what, {}, "nothing: the child is ended");
}

} // namespace

std::string encode(const request& what) {
  map_writer writer;
  writer.text("ruleset", what.ruleset_dir);
  writer.signed_number("alert", what.alert_level);
  writer.signed_number("mail", what.email_alert_level);
  writer.flag("json", what.alerts_json);
  writer.flag("text", what.alerts_text);
  writer.flag("archive", what.archives_json);
  writer.flag("evaluate", what.evaluate);
  writer.text("manager", what.manager_name);
  writer.text("cluster", what.cluster_name);
  writer.text("node", what.node_name);
  writer.number("batch_node", what.batch.node);
  writer.number("batch_boot", what.batch.boot);
  writer.number("batch_sequence", what.batch.sequence);
  writer.number("first", what.first);
  auto& agents = writer.value("agents");
  agents.pack_array(static_cast<std::uint32_t>(what.agents.size()));
  for (const auto& agent : what.agents)
    pack(agents, agent);
  auto& records = writer.value("records");
  records.pack_array(static_cast<std::uint32_t>(what.records.size()));
  for (const auto& one : what.records)
    pack(records, one);
  return framed(std::move(writer).finish({}));
}

result<request> decode_request(std::string_view body) noexcept {
  auto handle = codec::unpack(body);
  if (!handle) return corrupt("the request is no msgpack value");
  map_reader reader{handle->get()};
  request what;
  reader.read("ruleset", what.ruleset_dir, true);
  reader.read("alert", what.alert_level, true);
  reader.read("mail", what.email_alert_level, true);
  reader.read("json", what.alerts_json, true);
  reader.read("text", what.alerts_text, true);
  reader.read("archive", what.archives_json, true);
  reader.read("evaluate", what.evaluate, true);
  reader.read("manager", what.manager_name, true);
  reader.read("cluster", what.cluster_name, true);
  reader.read("node", what.node_name, true);
  reader.read("batch_node", what.batch.node, true);
  reader.read("batch_boot", what.batch.boot, true);
  reader.read("batch_sequence", what.batch.sequence, true);
  reader.read("first", what.first, true);
  read_all(reader, "agents", what.agents);
  read_all(reader, "records", what.records);
  if (!reader.good()) return corrupt("request: " + reader.fault());
  return what;
}

std::string encode(const step& what) {
  map_writer writer;
  writer.number("step", static_cast<std::uint8_t>(what.kind));
  writer.number("record", what.record);
  writer.binary("text", what.text);
  return framed(std::move(writer).finish({}));
}

result<step> decode_step(std::string_view body) noexcept {
  auto handle = codec::unpack(body);
  if (!handle) return corrupt("a step is no msgpack value");
  map_reader reader{handle->get()};
  step what;
  std::uint8_t kind = 0;
  reader.read("step", kind, true);
  reader.read("record", what.record, true);
  reader.read("text", what.text, true);
  if (!reader.good()) return corrupt("step: " + reader.fault());
  if (kind > static_cast<std::uint8_t>(step_kind::failed)) return corrupt("there is no such step");
  what.kind = static_cast<step_kind>(kind);
  return what;
}

void frame_cutter::feed(std::string_view bytes) {
  buffer_.erase(0, at_);
  at_ = 0;
  buffer_.append(bytes);
}

result<std::string_view> frame_cutter::next() {
  auto rest = std::string_view{buffer_}.substr(at_);
  if (rest.size() < length_bytes) return std::string_view{};
  std::size_t length = load_le32(as_bytes(rest).data());
  if (length == 0 || length > max_body_bytes_)
    return corrupt("a frame of " + std::to_string(length) + " bytes");
  if (rest.size() < length_bytes + length) return std::string_view{};
  at_ += length_bytes + length;
  return rest.substr(length_bytes, length);
}

} // namespace picket::protocol::examination
