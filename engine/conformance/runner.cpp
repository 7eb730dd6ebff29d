#include "engine/conformance/runner.hpp"

namespace picket::conformance {

outcome compare(const json& expected, const json& got) {
  if (expected == got) return passed();
  return {verdict::failed, show(expected), show(got)};
}

std::string show(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

namespace {

/// A character U+0000 to U+00FF a byte.
std::string bytes_of(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto lead = static_cast<unsigned char>(text[i]);
    if (lead >= 0xC2 && lead <= 0xC3 && i + 1 < text.size()) {
      auto tail = static_cast<unsigned char>(text[++i]);
      bytes.push_back(static_cast<char>((lead & 3) << 6 | (tail & 0x3F)));
    } else {
      bytes.push_back(text[i]);
    }
  }
  return bytes;
}

void to_bytes(json& value) {
  if (value.is_string()) {
    value = bytes_of(value.get<std::string>());
  } else if (value.is_array()) {
    for (auto& element : value)
      to_bytes(element);
  } else if (value.is_object()) {
    json changed = json::object();
    for (auto& [key, member] : value.items()) {
      to_bytes(member);
      changed[bytes_of(key)] = std::move(member);
    }
    value = std::move(changed);
  }
}

} // namespace

json prepare(json record) {
  json ours = record.value("ours", json::object());
  record.erase("ours");
  if (record.value("encoding", "") == "latin1") to_bytes(record);
  for (auto& [key, member] : ours.items())
    record[key] = member;
  return record;
}

} // namespace picket::conformance
