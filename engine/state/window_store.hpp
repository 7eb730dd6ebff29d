#pragma once

#include "engine/load/ruleset.hpp"
#include "engine/text/hash.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace picket::engine {

struct window;

/// A remembered event (rules.md 4.1). The mark is here, not in the windows: what one composite consumes all
/// must see.
struct event_record {
  std::uint64_t sequence = 0;
  std::int64_t second = 0;    ///< of the shard's clock
  std::int64_t expires_s = 0; ///< no look-back can count it after this second
  std::int32_t mark = 0;
  std::uint32_t rule_id = 0; ///< its verdict
  event_type type = event_type::syslog;
  bool has_dynamics = false;
  std::string agent;
  std::string full_log;
  std::string log;                                           ///< only kept for if_matched_regex
  std::vector<std::pair<std::uint16_t, std::string>> values; ///< (column, value) of those that were present
  std::vector<window*> windows;                              ///< in which it stands

  const std::string* value(std::uint16_t column) const {
    for (const auto& [at, text] : values)
      if (at == column) return &text;
    return nullptr;
  }
  bool alive() const noexcept { return !windows.empty(); }
};

/// One window: references to records, oldest first, never more than its index allows.
struct window {
  struct entry {
    std::uint64_t sequence = 0;
    std::uint32_t times = 1;
  };
  std::vector<entry> entries;
  std::string key;
  std::uint32_t table = 0;
};

/// What a record is entered in.
struct window_entry {
  std::uint32_t table = 0; ///< number given by `window_store::bind`
  std::uint32_t times = 1;
  std::string key;
};

/// How a rule set sees a store: which of its tables serve which index.
struct window_binding {
  std::string digest;                 ///< of the rule set
  std::vector<std::uint32_t> tables;  ///< by window index; `no_list` where the store does not serve it
  std::vector<std::uint16_t> columns; ///< by position in `ruleset::stored`
};

/// What a switch of rule sets kept (engine.md 1.4).
struct switch_report {
  std::size_t windows_kept = 0;
  std::size_t windows_dropped = 0;
};

/// Remembered events and the windows over them (engine.md 3.6). Bounded by bytes; the oldest events go first,
/// counted. Deterministic: the same calls in the same order give the same content.
class window_store {
public:
  window_store(hash_seed seed, std::size_t bytes_max);
  window_store(const window_store&) = delete;
  window_store& operator=(const window_store&) = delete;
  window_store(window_store&&) noexcept = default;
  window_store& operator=(window_store&&) noexcept = default;

  /// Connects the store with a rule set; windows of the same content go on. `global`: the scope that it
  /// serves. Keeps the bindings of `keep` rule sets and drops windows that none of them has.
  const window_binding& bind(const ruleset& rules, bool global, std::size_t keep = 1,
                             switch_report* report = nullptr);
  /// The binding of a rule set by its digest; null if it is not bound.
  const window_binding* find_binding(std::string_view digest) const;

  /// The window of a key; null if nothing was entered.
  const window* find(std::uint32_t table, std::string_view key) const;
  /// The record of an entry; never null while a window names it.
  const event_record* record(std::uint64_t sequence) const;

  /// Enters a record; its sequence, expiry and windows are set here. Returns the sequence.
  std::uint64_t remember(event_record record, const std::vector<window_entry>& entries);
  /// Nothing happens if the record is gone.
  void set_mark(std::uint64_t sequence, std::int32_t mark);
  /// Drops what is too old for every window.
  void expire(std::int64_t now_s);

  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t records() const noexcept { return alive_; }
  std::size_t windows() const noexcept;
  /// Records that had to go although a look-back could still have counted them, by rule id of their verdict.
  const std::unordered_map<std::uint32_t, std::uint64_t>& evictions() const noexcept { return evictions_; }
  const hash_seed& seed() const noexcept { return seed_; }

  friend bool operator==(const window_store& a, const window_store& b);

private:
  friend class state_writer;
  friend class state_reader;

  struct seeded_hash {
    using is_transparent = void;
    hash_seed seed;
    std::size_t operator()(std::string_view text) const noexcept { return keyed_hash(text, seed); }
  };
  struct text_equal {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept { return a == b; }
  };
  using window_map = std::unordered_map<std::string, std::unique_ptr<window>, seeded_hash, text_equal>;
  struct table {
    std::string content; ///< `window_index::content`
    std::uint32_t entries_max = 1;
    std::uint32_t timeframe_s = 0;
    bool used = true;
    window_map windows;
  };

  static bool same_table(const table& a, const table& b);
  std::uint32_t table_of(const std::string& content, std::uint32_t entries_max, std::uint32_t timeframe_s,
                         std::size_t& kept);
  std::uint16_t column_of(const std::string& name);
  void drop_unused_tables(switch_report* report);
  event_record* find_record(std::uint64_t sequence);
  void enter(event_record& record, const window_entry& entry);
  void leave_oldest(window& from);
  void forget(event_record& record);
  void drop_window(window& empty);
  void drop_front(bool evicted);
  void shrink();
  static std::size_t cost_of(const event_record& record);

  hash_seed seed_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::size_t alive_ = 0;
  std::uint64_t first_sequence_ = 1; ///< of the front of `records_`
  std::deque<event_record> records_;
  std::vector<std::unique_ptr<table>> tables_;
  std::vector<std::string> columns_;
  std::vector<window_binding> bindings_; ///< newest last
  std::unordered_map<std::uint32_t, std::uint64_t> evictions_;
};

/// The key bytes of a window: agent (unless global) and the compared values, each with its length in front.
/// Nothing if the event lacks one of the values: then it is not entered and finds nothing (rules.md 4.5).
template <class ValueOf>
bool make_window_key(std::string& key, const window_index& index, std::string_view agent,
                     ValueOf&& value_of) {
  key.clear();
  const auto add = [&](std::string_view text) {
    const auto length = static_cast<std::uint32_t>(text.size());
    key.append(reinterpret_cast<const char*>(&length), sizeof length);
    key.append(text);
  };
  if (!index.global) add(agent);
  for (const auto& each : index.key) {
    const auto value = value_of(each);
    if (!value) return false;
    add(*value);
  }
  return true;
}

} // namespace picket::engine
