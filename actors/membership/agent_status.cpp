#include "actors/membership/agent_status.hpp"

#include "protocol/registry/codec.hpp"

namespace picket {

namespace codec = protocol::codec;

namespace {

/// Labels as a flat list of key, value, flags.
std::vector<std::string> flatten(const std::vector<protocol::agent_label>& labels) {
  std::vector<std::string> flat;
  for (const auto& label : labels) {
    flat.push_back(label.key);
    flat.push_back(label.value);
    flat.push_back(std::string{label.hidden ? "!" : ""} + (label.system ? "#" : ""));
  }
  return flat;
}

std::vector<protocol::agent_label> unflatten(const std::vector<std::string>& flat) {
  std::vector<protocol::agent_label> labels;
  for (std::size_t i = 0; i + 2 < flat.size(); i += 3) {
    bool hidden = flat[i + 2].find('!') != std::string::npos;
    bool system = flat[i + 2].find('#') != std::string::npos;
    labels.push_back({flat[i], flat[i + 1], hidden, system});
  }
  return labels;
}

bool same_identity(const agent_status& a, const agent_status& b) {
  return a.last_keepalive.agent_ip == b.last_keepalive.agent_ip
         && a.last_keepalive.labels == b.last_keepalive.labels;
}

} // namespace

std::string encode_status(const agent_status& status) {
  codec::map_writer map;
  map.number("v", 1u);
  map.number("reg", status.registration);
  map.number("st", static_cast<unsigned>(status.connection.state));
  map.number("code", static_cast<unsigned>(status.connection.code));
  map.signed_number("ka", status.connection.last_keepalive_ms);
  map.signed_number("dis", status.connection.disconnection_ms);
  map.flag("due", status.connection.notice_due);
  map.text("uname", status.last_keepalive.uname);
  map.text("ver", status.last_keepalive.version);
  map.text("csum", status.last_keepalive.config_sum);
  map.text("msum", status.last_keepalive.merged_sum);
  map.text("ip", status.last_keepalive.agent_ip);
  map.texts("labels", flatten(status.last_keepalive.labels));
  map.flag("sync", status.synced);
  return std::move(map).finish({});
}

result<agent_status> decode_status(std::string_view bytes) noexcept {
  auto tree = codec::unpack(bytes);
  if (!tree) return fail(errc::corrupt, "a status row is no map", "local/agent_status");
  codec::map_reader map{tree->get()};
  agent_status status;
  unsigned state = 0;
  unsigned code = 0;
  std::vector<std::string> labels;
  map.read("reg", status.registration, true);
  map.read("st", state, true);
  map.read("code", code);
  map.read("ka", status.connection.last_keepalive_ms);
  map.read("dis", status.connection.disconnection_ms);
  map.read("due", status.connection.notice_due);
  map.read("uname", status.last_keepalive.uname);
  map.read("ver", status.last_keepalive.version);
  map.read("csum", status.last_keepalive.config_sum);
  map.read("msum", status.last_keepalive.merged_sum);
  map.read("ip", status.last_keepalive.agent_ip);
  map.read("labels", labels);
  map.read("sync", status.synced);
  if (!map.good() || state > 3 || code > 5)
    return fail(errc::corrupt, "a status row does not read back: " + map.fault(), "local/agent_status");
  status.connection.state = static_cast<protocol::agent_state>(state);
  status.connection.code = static_cast<protocol::status_code>(code);
  status.last_keepalive.labels = unflatten(labels);
  return status;
}

void agent_status_table::update(agent_id id, const std::function<void(agent_status&)>& change) {
  auto& part = of(id);
  std::lock_guard lock{part.mutex};
  auto& entry = part.entries[id];
  auto before = entry;
  change(entry);
  part.dirty.insert(id);
  if (!same_identity(before, entry)) generation_.fetch_add(1, std::memory_order_release);
}

std::optional<agent_status> agent_status_table::get(agent_id id) const {
  const auto& part = of(id);
  std::lock_guard lock{part.mutex};
  auto found = part.entries.find(id);
  return found == part.entries.end() ? std::nullopt : std::optional{found->second};
}

void agent_status_table::erase(agent_id id) {
  auto& part = of(id);
  std::lock_guard lock{part.mutex};
  part.entries.erase(id);
  part.dirty.insert(id);
  generation_.fetch_add(1, std::memory_order_release);
}

void agent_status_table::load(agent_id id, agent_status status) {
  auto& part = of(id);
  std::lock_guard lock{part.mutex};
  part.entries[id] = std::move(status);
}

void agent_status_table::sweep(const std::function<bool(agent_id, agent_status&)>& visit) {
  for (auto& part : stripes_) {
    std::lock_guard lock{part.mutex};
    for (auto& [id, status] : part.entries)
      if (visit(id, status)) part.dirty.insert(id);
  }
}

void agent_status_table::mark_dirty(const std::vector<agent_id>& ids) {
  for (auto id : ids) {
    auto& part = of(id);
    std::lock_guard lock{part.mutex};
    part.dirty.insert(id);
  }
}

std::vector<std::pair<agent_id, std::optional<std::string>>>
agent_status_table::take_dirty(std::size_t limit) {
  std::vector<std::pair<agent_id, std::optional<std::string>>> rows;
  for (auto& part : stripes_) {
    std::lock_guard lock{part.mutex};
    while (!part.dirty.empty() && rows.size() < limit) {
      auto id = *part.dirty.begin();
      part.dirty.erase(part.dirty.begin());
      auto found = part.entries.find(id);
      rows.emplace_back(id, found == part.entries.end() ? std::nullopt
                                                        : std::optional{encode_status(found->second)});
    }
  }
  return rows;
}

} // namespace picket
