#include "engine/event/fts_key.hpp"

#include "engine/load/decoders.hpp"

#include <algorithm>

namespace picket::engine {

bool has_fts(const event& ev) noexcept { return ev.decoder && ev.decoder->has_fts; }

std::string fts_key(const event& ev) {
  constexpr std::size_t fixed_bytes_max = 255;
  constexpr std::size_t bytes_max = 256;
  static constexpr std::array<static_field, 7> fields = {
      static_field::id,    static_field::dstuser, static_field::srcuser,    static_field::srcip,
      static_field::dstip, static_field::data,    static_field::system_name};
  if (!has_fts(ev)) return {};
  const decoder& from = *ev.decoder;
  std::string key = from.name;
  for (auto field : fields) {
    key += ' ';
    bool named = (from.fts_statics >> static_cast<unsigned>(field) & 1U) != 0;
    if (named) key += ev.get(field).value_or("");
  }
  key += ' ';
  if (from.fts_location && ev.source) key += ev.source->rule_location;
  key.resize(std::min(key.size(), fixed_bytes_max));
  for (const auto& name : from.fts_dynamics) {
    if (auto value = ev.dynamic(name)) key.append(" ").append(*value);
  }
  key.resize(std::min(key.size(), bytes_max));
  return key;
}

} // namespace picket::engine
