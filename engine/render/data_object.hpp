#pragma once

#include "engine/event/event.hpp"
#include "engine/text/arena.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace picket::engine {

/// Objects whose member names nest at dots: `data` and `labels` of alerts (events-and-alerts.md 10.7, 10.8).
/// Used again for every event.
class nested_object {
public:
  /// Deeper levels stay together in one name.
  static constexpr std::size_t depth_max = 200;

  void clear();
  /// A name that is taken, or lies below one that is no object, is dropped; names compare without letter
  /// case.
  void put(std::string_view name, std::string_view value);
  /// As `put`, and a value that begins with `[` and is JSON as a whole is embedded.
  void put_embedding(std::string_view name, std::string_view value);
  bool empty() const noexcept { return nodes_.size() <= 1; }
  /// With braces. No value takes more than `value_bytes_max` bytes.
  void append(std::string& to, arena& memory, std::size_t value_bytes_max) const;

private:
  struct node {
    std::string_view name;
    std::string_view value;
    bool object = false;
    bool embeds = false;
    std::uint32_t first = 0; ///< child; 0: none
    std::uint32_t last = 0;
    std::uint32_t next = 0; ///< sibling
  };
  void put(std::string_view name, std::string_view value, bool embeds);
  std::uint32_t child(std::uint32_t parent, std::string_view name) const;
  std::uint32_t add(std::uint32_t parent, std::string_view name);
  void append_node(std::string& to, const node& from, arena& memory, std::size_t value_bytes_max) const;

  std::vector<node> nodes_; ///< the first is the object itself
};

/// Puts the fields of an event in the order of events-and-alerts.md 10.8.
void put_fields(nested_object& to, const event& ev);

/// Appends `text` as JSON without blanks if it is an array as a whole; else nothing, and false.
bool append_json_array(std::string& to, std::string_view text, arena& memory);

} // namespace picket::engine
