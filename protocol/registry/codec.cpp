#include "protocol/registry/codec.hpp"

#include <set>

namespace picket::protocol::codec {

namespace {

constexpr std::size_t max_elements = 65'536;
constexpr std::size_t max_text_bytes = 1U << 20U;
constexpr std::size_t max_depth = 16;

std::string_view text_of(const msgpack::object& from) {
  if (from.type == msgpack::type::STR) return {from.via.str.ptr, from.via.str.size};
  return {from.via.bin.ptr, from.via.bin.size};
}

} // namespace

void pack_text(packer& to, std::string_view value) {
  to.pack_str(static_cast<std::uint32_t>(value.size()));
  to.pack_str_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void map_writer::start(std::string_view key) {
  ++count_;
  pack_text(packer_, key);
}

void map_writer::text(std::string_view key, std::string_view value) {
  start(key);
  pack_text(packer_, value);
}

void map_writer::binary(std::string_view key, std::string_view value) {
  start(key);
  packer_.pack_bin(static_cast<std::uint32_t>(value.size()));
  packer_.pack_bin_body(value.data(), static_cast<std::uint32_t>(value.size()));
}

void map_writer::texts(std::string_view key, const std::vector<std::string>& values) {
  start(key);
  packer_.pack_array(static_cast<std::uint32_t>(values.size()));
  for (const auto& value : values)
    pack_text(packer_, value);
}

std::string map_writer::finish(const unknown_fields& unknown) && {
  msgpack::sbuffer head;
  packer head_packer{head};
  head_packer.pack_map(count_ + static_cast<std::uint32_t>(unknown.size()));
  std::string bytes;
  bytes.reserve(head.size() + buffer_.size());
  bytes.append(head.data(), head.size());
  bytes.append(buffer_.data(), buffer_.size());
  for (const auto& field : unknown) {
    msgpack::sbuffer key;
    packer key_packer{key};
    pack_text(key_packer, field.key);
    bytes.append(key.data(), key.size());
    bytes += field.value;
  }
  return bytes;
}

std::optional<msgpack::object_handle> unpack(std::string_view bytes) noexcept {
  try {
    std::size_t offset = 0;
    msgpack::unpack_limit limit{max_elements,   max_elements,   max_text_bytes,
                                max_text_bytes, max_text_bytes, max_depth};
    auto handle = msgpack::unpack(bytes.data(), bytes.size(), offset, nullptr, nullptr, limit);
    if (offset != bytes.size()) return std::nullopt;
    return handle;
  } catch (...) { // the library reports every kind of bad input by an exception
    return std::nullopt;
  }
}

bool get(const msgpack::object& from, std::string& to) {
  if (from.type != msgpack::type::STR && from.type != msgpack::type::BIN) return false;
  to = text_of(from);
  return true;
}

bool get(const msgpack::object& from, bool& to) {
  if (from.type != msgpack::type::BOOLEAN) return false;
  to = from.via.boolean;
  return true;
}

bool get(const msgpack::object& from, std::int64_t& to) {
  if (from.type == msgpack::type::NEGATIVE_INTEGER) {
    to = from.via.i64;
    return true;
  }
  if (from.type != msgpack::type::POSITIVE_INTEGER) return false;
  if (from.via.u64 > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return false;
  to = static_cast<std::int64_t>(from.via.u64);
  return true;
}

bool get(const msgpack::object& from, std::vector<std::string>& to) {
  if (from.type != msgpack::type::ARRAY) return false;
  to.clear();
  for (std::uint32_t i = 0; i < from.via.array.size; ++i) {
    to.emplace_back();
    if (!get(from.via.array.ptr[i], to.back())) return false;
  }
  return true;
}

bool get(const msgpack::object& from, request_id& to) {
  if (from.type != msgpack::type::ARRAY || from.via.array.size != 3) return false;
  const auto* at = from.via.array.ptr;
  return get(at[0], to.node) && get(at[1], to.boot) && get(at[2], to.counter);
}

void pack(packer& to, const request_id& id) {
  to.pack_array(3);
  to.pack_uint64(id.node);
  to.pack_uint64(id.boot);
  to.pack_uint64(id.counter);
}

map_reader::map_reader(const msgpack::object& from)
    : from_(&from) {
  if (from.type != msgpack::type::MAP) {
    fault_ = "is not a map";
    return;
  }
  std::set<std::string_view> keys;
  for (std::uint32_t i = 0; i < from.via.map.size; ++i) {
    const auto& key = from.via.map.ptr[i].key;
    if (key.type != msgpack::type::STR) {
      fault_ = "has a key that is no text";
      return;
    }
    if (!keys.insert(text_of(key)).second) {
      complain(text_of(key), "stands twice");
      return;
    }
  }
  known_.resize(from.via.map.size);
}

const msgpack::object* map_reader::find(std::string_view key) {
  for (std::size_t i = 0; i < known_.size(); ++i) {
    const auto& pair = from_->via.map.ptr[i];
    if (text_of(pair.key) == key) {
      known_[i] = true;
      return &pair.val;
    }
  }
  return nullptr;
}

void map_reader::complain(std::string_view key, std::string_view what) {
  if (!fault_.empty()) return;
  fault_.append("key '").append(key.substr(0, 32)).append("' ").append(what);
}

unknown_fields map_reader::unknown() const {
  unknown_fields fields;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (known_[i]) continue;
    const auto& pair = from_->via.map.ptr[i];
    msgpack::sbuffer value;
    msgpack::pack(value, pair.val);
    unknown_field field;
    field.key = text_of(pair.key);
    field.value.assign(value.data(), value.size());
    fields.push_back(std::move(field));
  }
  return fields;
}

} // namespace picket::protocol::codec
