#pragma once

#include "engine/event/event.hpp"
#include "engine/load/diagnostic.hpp"
#include "engine/match/pattern.hpp"
#include "engine/xml/reader.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace picket::engine {

enum class offset_kind : std::uint8_t { none, after_parent, after_prematch, after_regex };
enum class plugin_kind : std::uint8_t { none, json, pf, symantec_ws, sonicwall, ossec_alert };

/// Where a capture goes.
struct order_entry {
  std::optional<static_field> field; ///< nothing: dynamic, of `name`
  std::string name;
};

/// One decoder (decoders.md 4.1). Immutable after load.
struct decoder {
  std::string name;          ///< after renaming: what alerts show and `decoded_as` compares
  std::string declared_name; ///< as written in the file
  std::string parent;        ///< declared parent's name; empty: first level
  bool is_child = false;     ///< has a `parent` element
  /// Number of `name` among all decoder names, built-in ones included: equal names, equal number.
  std::uint32_t identity = 0;
  event_type type = event_type::syslog;
  std::optional<pattern> program_name;
  std::optional<pattern> prematch;
  offset_kind prematch_offset = offset_kind::none;
  std::optional<pattern> regex;
  offset_kind regex_offset = offset_kind::none;
  std::vector<order_entry> order;
  plugin_kind plugin = plugin_kind::none;
  offset_kind plugin_offset = offset_kind::none;
  bool json_null_discard = false;
  bool json_array_csv = false;
  bool use_own_name = false;
  bool accumulate = false;
  bool more = false; ///< "after me take the next sibling", decoders.md 4.3
  bool has_fts = false;
  std::uint16_t fts_statics = 0; ///< bit per static_field
  bool fts_location = false;
  std::vector<std::string> fts_dynamics; ///< in the order of `order`
  std::string fts_comment;
  engine::place place;
};

/// Decoder names that exist without a file (decoders.md 4.10); their events are not decoded from log lines.
inline constexpr std::array<std::string_view, 16> built_in_decoders = {"rootcheck",
                                                                       "syscheck_integrity_changed",
                                                                       "syscheck_new_entry",
                                                                       "syscheck_deleted",
                                                                       "syscheck_registry_key_modified",
                                                                       "syscheck_registry_key_added",
                                                                       "syscheck_registry_key_deleted",
                                                                       "syscheck_registry_value_modified",
                                                                       "syscheck_registry_value_added",
                                                                       "syscheck_registry_value_deleted",
                                                                       "hostinfo_new",
                                                                       "hostinfo_modified",
                                                                       "syscollector",
                                                                       "ciscat",
                                                                       "windows_eventchannel",
                                                                       "sca"};

/// All decoders of a rule set: the two first-level lists and the child lists (decoders.md 4.3).
struct decoder_tree {
  std::vector<std::unique_ptr<decoder>> all;
  struct entry {
    const decoder* self = nullptr;
    std::vector<const decoder*> children;
  };
  std::vector<entry> with_program;                           ///< list P
  std::vector<entry> without_program;                        ///< list N
  std::unordered_map<std::string, std::uint32_t> identities; ///< every decoder name, built-in ones included

  /// The identity of a decoder name, for `decoded_as`; nothing if unknown.
  std::optional<std::uint32_t> identity_of(std::string_view name) const;
};

/// Reads decoder files one after the other, then builds the tree. Collects every diagnostic.
class decoder_loader {
public:
  explicit decoder_loader(std::size_t order_size = 256);
  ~decoder_loader();
  /// `roots`: variables already substituted.
  void add_file(std::string_view file, const std::vector<xml::element>& roots);
  /// After the last file: renames, checks, adds the built-in names.
  decoder_tree finish();
  diagnostics take_diagnostics();

private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

} // namespace picket::engine
