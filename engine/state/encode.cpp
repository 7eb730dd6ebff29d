#include "engine/state/encode.hpp"

#include <msgpack.hpp>

#include <algorithm>

namespace picket::engine {

namespace {

using packer = msgpack::packer<msgpack::sbuffer>;

void pack_text(packer& to, std::string_view text) {
  // Texts hold any bytes.
  to.pack_bin(static_cast<std::uint32_t>(text.size()));
  to.pack_bin_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

void append(byte_buffer& to, const msgpack::sbuffer& from) {
  const auto* begin = reinterpret_cast<const std::byte*>(from.data());
  to.insert(to.end(), begin, begin + from.size());
}

/// Reads msgpack values of outside bytes: a wrong type or range makes `ok` false and gives an empty value.
class value_reader {
public:
  bool ok = true;

  std::int64_t integer(const msgpack::object& from) {
    if (from.type == msgpack::type::POSITIVE_INTEGER) return static_cast<std::int64_t>(from.via.u64);
    if (from.type == msgpack::type::NEGATIVE_INTEGER) return from.via.i64;
    ok = false;
    return 0;
  }
  template <class Number>
  Number number(const msgpack::object& from) {
    return static_cast<Number>(integer(from));
  }
  std::string_view text(const msgpack::object& from) {
    if (from.type == msgpack::type::BIN) return {from.via.bin.ptr, from.via.bin.size};
    if (from.type == msgpack::type::STR) return {from.via.str.ptr, from.via.str.size};
    ok = false;
    return {};
  }
  /// A time in seconds, within what arithmetic on times can bear.
  std::int64_t second(const msgpack::object& from) {
    constexpr std::int64_t most = std::int64_t{1} << 53;
    const auto value = integer(from);
    if (value < -most || value > most) ok = false;
    return ok ? value : 0;
  }
  /// The elements of an array of at least `least`.
  msgpack::object_array array(const msgpack::object& from, std::uint32_t least = 0) {
    if (from.type == msgpack::type::ARRAY && from.via.array.size >= least) return from.via.array;
    ok = false;
    return {0, nullptr};
  }
  bool flag(const msgpack::object& from) { return integer(from) != 0; }
};

const msgpack::object* member(const msgpack::object& map, std::string_view name) {
  if (map.type != msgpack::type::MAP) return nullptr;
  for (std::uint32_t i = 0; i < map.via.map.size; ++i) {
    const auto& key = map.via.map.ptr[i].key;
    if (key.type == msgpack::type::STR && std::string_view{key.via.str.ptr, key.via.str.size} == name)
      return &map.via.map.ptr[i].val;
  }
  return nullptr;
}

/// Unpacks bytes of another node. An array may not claim more elements than there are bytes, so what a forged
/// state can make us allocate is a small multiple of its length.
msgpack::object_handle unpack(byte_view bytes) {
  constexpr std::size_t depth_max = 16;
  const auto most = bytes.size();
  const msgpack::unpack_limit limit(most, most, most, most, most, depth_max);
  return msgpack::unpack(reinterpret_cast<const char*>(bytes.data()), bytes.size(), nullptr, nullptr, limit);
}

tl::unexpected<error> corrupt(std::string what) {
  return fail(errc::corrupt, "the state of a shard does not read back: " + what, {},
              "Drop it: windows begin empty then.");
}

} // namespace

/// Writes the parts of a state; a friend of what it writes.
class state_writer {
public:
  explicit state_writer(packer& to)
      : to_(to) {}

  void record(const window_store& store, const event_record& from) {
    to_.pack_array(10);
    to_.pack(from.second);
    to_.pack(from.expires_s);
    to_.pack(from.mark);
    to_.pack(from.rule_id);
    to_.pack(static_cast<unsigned>(from.type));
    to_.pack(from.has_dynamics ? 1 : 0);
    pack_text(to_, from.agent);
    pack_text(to_, from.full_log);
    pack_text(to_, from.log);
    to_.pack_array(static_cast<std::uint32_t>(from.values.size()));
    for (const auto& [column, text] : from.values) {
      to_.pack_array(2);
      pack_text(to_, store.columns_[column]);
      pack_text(to_, text);
    }
  }

  void windows(const window_store& store) {
    to_.pack_map(3);
    to_.pack("first");
    to_.pack(store.first_sequence_);
    to_.pack("records");
    to_.pack_array(static_cast<std::uint32_t>(store.records_.size()));
    for (const auto& each : store.records_)
      each.alive() ? record(store, each) : static_cast<void>(to_.pack_nil());
    to_.pack("tables");
    const auto used =
        std::count_if(store.tables_.begin(), store.tables_.end(), [](const auto& t) { return bool(t); });
    to_.pack_array(static_cast<std::uint32_t>(used));
    for (const auto& each : store.tables_)
      if (each) table(*each);
  }

  void entry(const window_store& store, const window_entry& from) {
    const auto& in = *store.tables_[from.table];
    to_.pack_array(5);
    pack_text(to_, in.content);
    to_.pack(in.entries_max);
    to_.pack(in.timeframe_s);
    pack_text(to_, from.key);
    to_.pack(from.times);
  }

  void diffs(const diff_texts& from) {
    to_.pack_array(static_cast<std::uint32_t>(from.entries_.size()));
    for (const auto& each : from.entries_) {
      to_.pack_array(2);
      pack_text(to_, each.key);
      pack_text(to_, each.text);
    }
  }

private:
  void table(const window_store::table& from) {
    to_.pack_array(4);
    pack_text(to_, from.content);
    to_.pack(from.entries_max);
    to_.pack(from.timeframe_s);
    to_.pack_array(static_cast<std::uint32_t>(from.windows.size()));
    for (const auto& [key, window] : from.windows) {
      to_.pack_array(2);
      pack_text(to_, key);
      to_.pack_array(static_cast<std::uint32_t>(2 * window->entries.size()));
      for (const auto& entry : window->entries) {
        to_.pack(entry.sequence);
        to_.pack(entry.times);
      }
    }
  }

  packer& to_;
};

/// Reads the parts of a state. `values.ok` says whether all was of the right form.
class state_reader {
public:
  value_reader values;

  event_record record(window_store& store, const msgpack::object& from) {
    event_record made;
    const auto parts = values.array(from, 10);
    if (!values.ok) return made;
    made.second = values.second(parts.ptr[0]);
    made.expires_s = values.second(parts.ptr[1]);
    made.mark = values.number<std::int32_t>(parts.ptr[2]);
    made.rule_id = values.number<std::uint32_t>(parts.ptr[3]);
    made.type = static_cast<event_type>(values.integer(parts.ptr[4]) & 7);
    made.has_dynamics = values.flag(parts.ptr[5]);
    made.agent = values.text(parts.ptr[6]);
    made.full_log = values.text(parts.ptr[7]);
    made.log = values.text(parts.ptr[8]);
    const auto columns = values.array(parts.ptr[9]);
    for (std::uint32_t i = 0; i < columns.size; ++i) {
      const auto pair = values.array(columns.ptr[i], 2);
      if (!values.ok) return made;
      made.values.emplace_back(store.column_of(std::string{values.text(pair.ptr[0])}),
                               values.text(pair.ptr[1]));
    }
    return made;
  }

  void windows(window_store& store, const msgpack::object& from) {
    const auto* first = member(from, "first");
    const auto* records = member(from, "records");
    const auto* tables = member(from, "tables");
    if (!first || !records || !tables) {
      values.ok = false;
      return;
    }
    store.first_sequence_ = values.number<std::uint64_t>(*first);
    // No store ever counts that far; the arithmetic of sequences and seconds must not overflow.
    constexpr std::uint64_t sequence_max = std::uint64_t{1} << 62;
    if (store.first_sequence_ == 0 || store.first_sequence_ > sequence_max) values.ok = false;
    const auto all = values.array(*records);
    for (std::uint32_t i = 0; i < all.size && values.ok; ++i) {
      auto made = all.ptr[i].type == msgpack::type::NIL ? event_record{} : record(store, all.ptr[i]);
      made.sequence = store.first_sequence_ + i;
      if (all.ptr[i].type != msgpack::type::NIL) {
        store.bytes_ += window_store::cost_of(made);
        ++store.alive_;
      }
      store.records_.push_back(std::move(made));
    }
    const auto each = values.array(*tables);
    for (std::uint32_t i = 0; i < each.size && values.ok; ++i)
      table(store, each.ptr[i]);
    // A record that no window names would never go; only a forged state has one.
    for (const auto& record : store.records_)
      if (!record.agent.empty() && !record.alive()) values.ok = false;
  }

  std::uint32_t table_number(window_store& store, const msgpack::object* parts) {
    std::size_t kept = 0;
    return store.table_of(std::string{values.text(parts[0])}, values.number<std::uint32_t>(parts[1]),
                          values.number<std::uint32_t>(parts[2]), kept);
  }

  void diffs(diff_texts& to, const msgpack::object& from) {
    const auto all = values.array(from);
    for (std::uint32_t i = 0; i < all.size && values.ok; ++i) {
      const auto pair = values.array(all.ptr[i], 2);
      if (values.ok) to.store_key(std::string{values.text(pair.ptr[0])}, values.text(pair.ptr[1]));
    }
  }

private:
  void table(window_store& store, const msgpack::object& from) {
    const auto parts = values.array(from, 4);
    if (!values.ok) return;
    const auto number = table_number(store, parts.ptr);
    const auto windows = values.array(parts.ptr[3]);
    for (std::uint32_t i = 0; i < windows.size && values.ok; ++i)
      window_of(store, number, windows.ptr[i]);
  }

  void window_of(window_store& store, std::uint32_t number, const msgpack::object& from) {
    const auto pair = values.array(from, 2);
    if (!values.ok) return;
    const auto entries = values.array(pair.ptr[1]);
    window_entry entry;
    entry.table = number;
    entry.key = values.text(pair.ptr[0]);
    if (store.find(number, entry.key)) values.ok = false; // each key once
    std::uint64_t last = 0;
    for (std::uint32_t i = 0; i + 1 < entries.size && values.ok; i += 2) {
      const auto sequence = values.number<std::uint64_t>(entries.ptr[i]);
      entry.times = values.number<std::uint32_t>(entries.ptr[i + 1]);
      auto* record = store.find_record(sequence);
      // Entries are in order and name a record each; more than the limit would drop what was just read.
      if (!record || sequence <= last || entry.times == 0 || i / 2 >= store.tables_[number]->entries_max) {
        values.ok = false;
        return;
      }
      last = sequence;
      const auto expires = record->expires_s;
      store.enter(*record, entry);
      record->expires_s = expires;
    }
  }
};

void encode(const shard_state& from, byte_buffer& to) {
  msgpack::sbuffer buffer;
  packer out(buffer);
  state_writer writer(out);
  out.pack_map(8);
  out.pack("version");
  out.pack(state_version);
  out.pack("clock");
  out.pack(from.clock_s);
  out.pack("change");
  out.pack(from.change_number);
  out.pack("seed");
  out.pack_array(2);
  out.pack(from.windows.seed().a);
  out.pack(from.windows.seed().b);
  out.pack("windows");
  writer.windows(from.windows);
  out.pack("diffs");
  writer.diffs(from.diffs);
  out.pack("accumulated_number");
  out.pack(from.accumulated_number);
  out.pack("accumulated");
  encode(from.accumulated, out);
  append(to, buffer);
}

result<std::unique_ptr<shard_state>> decode_state(byte_view bytes, const shard_limits& limits) {
  try {
    const auto handle = unpack(bytes);
    const auto& root = handle.get();
    state_reader reader;
    const auto* version = member(root, "version");
    if (!version || reader.values.integer(*version) != state_version) return corrupt("unknown version");
    hash_seed seed;
    if (const auto* given = member(root, "seed")) {
      const auto pair = reader.values.array(*given, 2);
      if (!reader.values.ok) return corrupt("seed");
      seed = {reader.values.number<std::uint64_t>(pair.ptr[0]),
              reader.values.number<std::uint64_t>(pair.ptr[1])};
    }
    auto made = std::make_unique<shard_state>(seed, limits);
    if (const auto* clock = member(root, "clock")) made->clock_s = reader.values.second(*clock);
    if (const auto* change = member(root, "change"))
      made->change_number = reader.values.number<std::uint64_t>(*change);
    if (const auto* number = member(root, "accumulated_number"))
      made->accumulated_number = made->accumulated_sent = reader.values.number<std::uint64_t>(*number);
    if (const auto* windows = member(root, "windows")) reader.windows(made->windows, *windows);
    if (const auto* diffs = member(root, "diffs")) reader.diffs(made->diffs, *diffs);
    if (const auto* accumulated = member(root, "accumulated"))
      reader.values.ok = decode(*accumulated, made->accumulated) && reader.values.ok;
    if (!reader.values.ok) return corrupt("a value has the wrong form");
    return made;
  } catch (const std::exception& thrown) {
    return corrupt(thrown.what());
  }
}

namespace {

enum class change_kind : std::uint8_t { remembered, marked, diff_stored };

struct change_writer {
  packer& to;
  state_writer& writer;
  const window_store& store;

  void operator()(const state_change::remembered& change) {
    to.pack_array(3);
    to.pack(static_cast<unsigned>(change_kind::remembered));
    writer.record(store, change.record);
    to.pack_array(static_cast<std::uint32_t>(change.entries.size()));
    for (const auto& entry : change.entries)
      writer.entry(store, entry);
  }
  void operator()(const state_change::marked& change) {
    to.pack_array(3);
    to.pack(static_cast<unsigned>(change_kind::marked));
    to.pack(change.sequence);
    to.pack(change.mark);
  }
  void operator()(const state_change::diff_stored& change) {
    to.pack_array(4);
    to.pack(static_cast<unsigned>(change_kind::diff_stored));
    pack_text(to, change.host);
    to.pack(change.rule_id);
    pack_text(to, change.text);
  }
};

void apply(shard_state& copy, state_reader& reader, const msgpack::object& from) {
  auto& values = reader.values;
  const auto parts = values.array(from, 3);
  if (!values.ok) return;
  switch (static_cast<change_kind>(values.integer(parts.ptr[0]))) {
  case change_kind::remembered: {
    auto record = reader.record(copy.windows, parts.ptr[1]);
    std::vector<window_entry> entries;
    const auto all = values.array(parts.ptr[2]);
    for (std::uint32_t i = 0; i < all.size && values.ok; ++i) {
      const auto each = values.array(all.ptr[i], 5);
      if (!values.ok) return;
      window_entry entry;
      entry.table = reader.table_number(copy.windows, each.ptr);
      entry.key = values.text(each.ptr[3]);
      entry.times = std::max<std::uint32_t>(1, values.number<std::uint32_t>(each.ptr[4]));
      entries.push_back(std::move(entry));
    }
    if (values.ok) copy.remember(std::move(record), entries);
    return;
  }
  case change_kind::marked:
    copy.set_mark(values.number<std::uint64_t>(parts.ptr[1]), values.number<std::int32_t>(parts.ptr[2]));
    return;
  case change_kind::diff_stored:
    if (parts.size < 4) break;
    copy.store_diff(values.text(parts.ptr[1]), values.number<std::uint32_t>(parts.ptr[2]),
                    values.text(parts.ptr[3]));
    return;
  }
  values.ok = false;
}

} // namespace

void encode_changes(shard_state& of, byte_buffer& to) {
  msgpack::sbuffer buffer;
  packer out(buffer);
  state_writer writer(out);
  const bool accumulated_changed = of.accumulated_number != of.accumulated_sent;
  out.pack_map(accumulated_changed ? 6 : 4);
  out.pack("version");
  out.pack(state_version);
  out.pack("from");
  out.pack(of.change_number - of.changes.size());
  out.pack("clock");
  out.pack(of.clock_s);
  out.pack("changes");
  out.pack_array(static_cast<std::uint32_t>(of.changes.size()));
  for (const auto& each : of.changes)
    std::visit(change_writer{out, writer, of.windows}, each.what);
  if (accumulated_changed) {
    out.pack("accumulated_number");
    out.pack(of.accumulated_number);
    out.pack("accumulated");
    encode(of.accumulated, out);
  }
  of.changes.clear();
  of.accumulated_sent = of.accumulated_number;
  append(to, buffer);
}

result<void> apply_changes(shard_state& copy, byte_view bytes) {
  try {
    const auto handle = unpack(bytes);
    const auto& root = handle.get();
    state_reader reader;
    const auto* version = member(root, "version");
    const auto* from = member(root, "from");
    const auto* clock = member(root, "clock");
    const auto* changes = member(root, "changes");
    if (!version || !from || !clock || !changes || reader.values.integer(*version) != state_version)
      return corrupt("unknown version");
    const auto first = reader.values.number<std::uint64_t>(*from);
    const auto all = reader.values.array(*changes);
    if (!reader.values.ok) return corrupt("a value has the wrong form");
    if (first > copy.change_number)
      return fail(errc::not_found, "changes of a shard's state are missing before these", {},
                  "Ask for the whole state.");
    // What is known already is skipped: so applying twice does nothing.
    for (auto i = copy.change_number - first; i < all.size && reader.values.ok; ++i)
      apply(copy, reader, all.ptr[i]);
    copy.clock_s = std::max(copy.clock_s, reader.values.second(*clock));
    const auto* accumulated = member(root, "accumulated");
    const auto* number = member(root, "accumulated_number");
    if (accumulated && number && reader.values.number<std::uint64_t>(*number) > copy.accumulated_number) {
      copy.accumulated_number = copy.accumulated_sent = reader.values.number<std::uint64_t>(*number);
      reader.values.ok = decode(*accumulated, copy.accumulated) && reader.values.ok;
    }
    if (!reader.values.ok) return corrupt("a change has the wrong form");
    return {};
  } catch (const std::exception& thrown) {
    return corrupt(thrown.what());
  }
}

switch_report rebind(shard_state& state, const ruleset& to) {
  switch_report report;
  state.windows.bind(to, false, 1, &report);
  return report;
}

} // namespace picket::engine
