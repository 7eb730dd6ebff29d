#pragma once

#include "base/error.hpp"
#include "protocol/registry/fields.hpp"

#include <limits>
#include <optional>
#include <string_view>
#include <type_traits>

#include <msgpack.hpp>

// How rows and commands become msgpack. Included by sources only: msgpack is a heavy header.

namespace picket::protocol::codec {

using packer = msgpack::packer<msgpack::sbuffer>;

/// Writes a map whose number of keys is not known beforehand.
class map_writer {
public:
  template <class Unsigned>
  requires std::is_unsigned_v<Unsigned>
  void number(std::string_view key, Unsigned value) {
    start(key);
    packer_.pack_uint64(value);
  }
  void signed_number(std::string_view key, std::int64_t value) {
    start(key);
    packer_.pack_int64(value);
  }
  void flag(std::string_view key, bool value) {
    start(key);
    value ? packer_.pack_true() : packer_.pack_false();
  }
  void text(std::string_view key, std::string_view value);
  void binary(std::string_view key, std::string_view value);
  void texts(std::string_view key, const std::vector<std::string>& values);
  /// For values of other shape: names the key; the caller packs exactly one value.
  packer& value(std::string_view key) {
    start(key);
    return packer_;
  }
  /// The whole map, with the unknown fields of the row behind the known ones.
  std::string finish(const unknown_fields& unknown) &&;

private:
  void start(std::string_view key);

  msgpack::sbuffer buffer_;
  packer packer_{buffer_};
  std::uint32_t count_ = 0;
};

void pack_text(packer& to, std::string_view value);

/// Bytes of outside origin as a tree. Nothing if they are no single msgpack value within the limits
/// (nesting 16, at most 65536 elements in one array or map).
std::optional<msgpack::object_handle> unpack(std::string_view bytes) noexcept;

bool get(const msgpack::object& from, std::string& to);
bool get(const msgpack::object& from, bool& to);
bool get(const msgpack::object& from, std::int64_t& to);
bool get(const msgpack::object& from, std::vector<std::string>& to);
bool get(const msgpack::object& from, request_id& to);

template <class Unsigned>
requires(std::is_unsigned_v<Unsigned> && !std::is_same_v<Unsigned, bool>) bool get(
    const msgpack::object& from, Unsigned& to) {
  if (from.type != msgpack::type::POSITIVE_INTEGER) return false;
  if (from.via.u64 > std::numeric_limits<Unsigned>::max()) return false;
  to = static_cast<Unsigned>(from.via.u64);
  return true;
}

template <class Unsigned>
requires(std::is_unsigned_v<Unsigned> && !std::is_same_v<Unsigned, bool>) bool get(
    const msgpack::object& from, std::vector<Unsigned>& to) {
  if (from.type != msgpack::type::ARRAY) return false;
  to.clear();
  for (std::uint32_t i = 0; i < from.via.array.size; ++i) {
    Unsigned value = 0;
    if (!get(from.via.array.ptr[i], value)) return false;
    to.push_back(value);
  }
  return true;
}

void pack(packer& to, const request_id& id);

/// Reads the keys of one map; remembers the first thing that is wrong.
class map_reader {
public:
  explicit map_reader(const msgpack::object& from);

  /// Absent: `to` keeps its value, except that a required key is missed.
  template <class T>
  void read(std::string_view key, T& to, bool required = false) {
    const auto* value = find(key);
    if (value == nullptr) {
      if (required) complain(key, "is missing");
    } else if (!get(*value, to)) {
      complain(key, "has the wrong type or is out of range");
    }
  }
  /// The value under the key, or null. Marks the key as known.
  const msgpack::object* find(std::string_view key);
  void complain(std::string_view key, std::string_view what);

  /// All keys that were never asked for, in their order.
  unknown_fields unknown() const;
  bool good() const noexcept { return fault_.empty(); }
  const std::string& fault() const noexcept { return fault_; }

private:
  const msgpack::object* from_;
  std::vector<bool> known_;
  std::string fault_;
};

} // namespace picket::protocol::codec
