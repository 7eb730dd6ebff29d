#include "engine/event/event.hpp"

#include "engine/text/fold.hpp"

namespace picket::engine {

namespace {

constexpr std::array<std::string_view, static_field_count> names = {
    "srcip",  "dstip", "srcport", "dstport", "srcuser",    "dstuser", "protocol",
    "action", "id",    "url",     "data",    "extra_data", "status",  "system_name"};

} // namespace

std::string_view name_of(static_field f) noexcept { return names[static_cast<std::size_t>(f)]; }

std::optional<static_field> static_field_of(std::string_view name) noexcept {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<static_field>(i);
  return std::nullopt;
}

std::optional<std::string_view> event::dynamic(std::string_view name) const {
  for (const auto& each : dynamics)
    if (equal_fold(each.name, name)) return each.value;
  return std::nullopt;
}

void event::clear() {
  auto kept = std::move(dynamics);
  kept.clear();
  *this = event{};
  dynamics = std::move(kept);
}

} // namespace picket::engine
