#include "engine/render/data_object.hpp"

#include "engine/event/json.hpp"
#include "engine/render/escape.hpp"
#include "engine/text/fold.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace picket::engine {

namespace {

using f = static_field;
constexpr std::array<f, static_field_count> printed_order{
    f::protocol, f::action, f::srcip,  f::srcport, f::srcuser, f::dstip,      f::dstport,
    f::dstuser,  f::id,     f::status, f::url,     f::data,    f::extra_data, f::system_name};

/// A number inside an array: the shortest of 15 and 17 digits that reads back equal (decoders.md 4.6).
void append_number(std::string& to, double number) {
  if (!std::isfinite(number)) {
    to += "null";
    return;
  }
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.15g", number);
  if (std::strtod(buffer, nullptr) != number) std::snprintf(buffer, sizeof buffer, "%.17g", number);
  to += buffer;
}

void append_value(std::string& to, const json::value& from);

void append_members(std::string& to, const json::value& from, bool keys) {
  for (const auto* each = from.first; each; each = each->next) {
    if (each != from.first) to.push_back(',');
    if (keys) {
      append_json_string(to, each->key);
      to.push_back(':');
    }
    append_value(to, *each);
  }
}

void append_value(std::string& to, const json::value& from) {
  switch (from.kind) {
  case json::kind::null:
    to += "null";
    break;
  case json::kind::boolean_false:
    to += "false";
    break;
  case json::kind::boolean_true:
    to += "true";
    break;
  case json::kind::number:
    append_number(to, from.number);
    break;
  case json::kind::string:
    append_json_string(to, from.text);
    break;
  case json::kind::array:
    to.push_back('[');
    append_members(to, from, false);
    to.push_back(']');
    break;
  case json::kind::object:
    to.push_back('{');
    append_members(to, from, true);
    to.push_back('}');
    break;
  }
}

} // namespace

bool append_json_array(std::string& to, std::string_view text, arena& memory) {
  if (text.empty() || text.front() != '[') return false;
  std::size_t end = 0;
  const auto* parsed = json::parse(text, memory, &end);
  if (!parsed || !json::is_white_space(text.substr(end))) return false;
  append_value(to, *parsed);
  return true;
}

void nested_object::clear() {
  nodes_.clear();
  nodes_.emplace_back();
  nodes_[0].object = true;
}

std::uint32_t nested_object::child(std::uint32_t parent, std::string_view name) const {
  for (auto at = nodes_[parent].first; at != 0; at = nodes_[at].next)
    if (equal_fold(nodes_[at].name, name)) return at;
  return 0;
}

std::uint32_t nested_object::add(std::uint32_t parent, std::string_view name) {
  const auto at = static_cast<std::uint32_t>(nodes_.size());
  nodes_.emplace_back();
  nodes_[at].name = name;
  auto& above = nodes_[parent];
  if (above.first == 0)
    above.first = at;
  else
    nodes_[above.last].next = at;
  above.last = at;
  return at;
}

void nested_object::put(std::string_view name, std::string_view value, bool embeds) {
  std::uint32_t parent = 0;
  for (std::size_t depth = 1;; ++depth) {
    const auto dot = depth < depth_max ? name.find('.') : std::string_view::npos;
    const auto part = name.substr(0, dot);
    auto at = child(parent, part);
    if (dot == std::string_view::npos) {
      if (at != 0) return;
      at = add(parent, part);
      nodes_[at].value = value;
      nodes_[at].embeds = embeds;
      return;
    }
    if (at == 0) {
      at = add(parent, part);
      nodes_[at].object = true;
    } else if (!nodes_[at].object) {
      return;
    }
    parent = at;
    name.remove_prefix(dot + 1);
  }
}

void nested_object::put(std::string_view name, std::string_view value) { put(name, value, false); }

void nested_object::put_embedding(std::string_view name, std::string_view value) { put(name, value, true); }

void nested_object::append_node(std::string& to, const node& from, arena& memory,
                                std::size_t value_bytes_max) const {
  if (!from.object) {
    if (from.embeds && from.value.size() <= value_bytes_max && append_json_array(to, from.value, memory))
      return;
    to.push_back('"');
    append_escaped(to, from.value, value_bytes_max);
    to.push_back('"');
    return;
  }
  to.push_back('{');
  for (auto at = from.first; at != 0; at = nodes_[at].next) {
    if (at != from.first) to.push_back(',');
    append_json_string(to, nodes_[at].name);
    to.push_back(':');
    append_node(to, nodes_[at], memory, value_bytes_max);
  }
  to.push_back('}');
}

void nested_object::append(std::string& to, arena& memory, std::size_t value_bytes_max) const {
  append_node(to, nodes_[0], memory, value_bytes_max);
}

void put_fields(nested_object& to, const event& ev) {
  // Static names have no dots; empty ones are shown, empty dynamic ones are not (decoders.md 4.5).
  for (const auto field : printed_order)
    if (const auto value = ev.get(field)) to.put(name_of(field), *value);
  for (const auto& [name, value] : ev.dynamics)
    if (!value.empty()) to.put_embedding(name, value);
}

} // namespace picket::engine
