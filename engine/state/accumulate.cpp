#include "engine/state/accumulate.hpp"

#include "engine/load/decoders.hpp"

#include <utility>

namespace picket::engine {

namespace {

/// In the order of the reference; `accumulator::entry::values` follows it.
constexpr std::array<static_field, 7> carried_fields = {
    static_field::dstuser, static_field::srcuser, static_field::dstip, static_field::srcip,
    static_field::dstport, static_field::srcport, static_field::data};

bool is_empty(const event& ev, static_field field) {
  auto value = ev.get(field);
  return !value || value->empty();
}

} // namespace

void accumulator::apply(event& ev, std::int64_t now_s, arena& memory) {
  auto id = ev.get(static_field::id);
  if (!ev.decoder || !ev.decoder->accumulate || !id) return;
  std::string key;
  key.append(ev.hostname).append(" ").append(ev.decoder->name).append(" ").append(*id);
  if (key.size() > key_bytes_max) return;

  if (++since_sweep_ >= sweep_every) sweep(now_s);
  auto found = entries_.find(key);
  if (found == entries_.end()) {
    if (entries_.size() >= entries_max_) {
      ++refused_;
      return;
    }
    found = entries_.try_emplace(std::move(key)).first;
  } else if (now_s - found->second.renewed_s > lifetime_s) {
    found->second = {};
  }
  auto& kept = found->second;
  kept.renewed_s = now_s;
  for (std::size_t i = 0; i < carried_fields.size(); ++i) {
    auto field = carried_fields[i];
    if (is_empty(ev, field)) {
      if (!kept.values[i].empty()) ev.set(field, memory.copy(kept.values[i]));
    } else if (kept.values[i].empty() && ev.get(field)->size() <= value_bytes_max) {
      kept.values[i] = *ev.get(field);
    }
  }
}

void accumulator::sweep(std::int64_t now_s) {
  since_sweep_ = 0;
  for (auto each = entries_.begin(); each != entries_.end();)
    each = now_s - each->second.renewed_s > lifetime_s ? entries_.erase(each) : std::next(each);
}

void encode(const accumulator& from, msgpack::packer<msgpack::sbuffer>& to) {
  to.pack_array(2);
  to.pack(from.since_sweep_);
  to.pack_map(static_cast<std::uint32_t>(from.entries_.size()));
  for (const auto& [key, entry] : from.entries_) {
    to.pack(key);
    to.pack_array(2);
    to.pack(entry.renewed_s);
    to.pack(entry.values);
  }
}

bool decode(const msgpack::object& from, accumulator& to) {
  accumulator made(to.entries_max_);
  to = made;
  if (from.type != msgpack::type::ARRAY || from.via.array.size < 2) return false;
  const auto& count = from.via.array.ptr[0];
  const auto& map = from.via.array.ptr[1];
  if (count.type != msgpack::type::POSITIVE_INTEGER || map.type != msgpack::type::MAP) return false;
  made.since_sweep_ = static_cast<std::uint32_t>(count.via.u64);
  if (map.via.map.size > made.entries_max_) return false;
  for (std::uint32_t i = 0; i < map.via.map.size; ++i) {
    const auto& [key, value] = map.via.map.ptr[i];
    if (key.type != msgpack::type::STR || value.type != msgpack::type::ARRAY || value.via.array.size < 2)
      return false;
    const auto& time = value.via.array.ptr[0];
    const auto& texts = value.via.array.ptr[1];
    bool is_time =
        time.type == msgpack::type::POSITIVE_INTEGER || time.type == msgpack::type::NEGATIVE_INTEGER;
    accumulator::entry entry;
    if (!is_time || texts.type != msgpack::type::ARRAY || texts.via.array.size != entry.values.size())
      return false;
    entry.renewed_s = time.via.i64;
    for (std::size_t k = 0; k < entry.values.size(); ++k) {
      const auto& text = texts.via.array.ptr[k];
      if (text.type != msgpack::type::STR || text.via.str.size > accumulator::value_bytes_max) return false;
      entry.values[k].assign(text.via.str.ptr, text.via.str.size);
    }
    made.entries_.emplace(std::string(key.via.str.ptr, key.via.str.size), std::move(entry));
  }
  to = std::move(made);
  return true;
}

} // namespace picket::engine
