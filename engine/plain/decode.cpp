#include "engine/plain/decode.hpp"

#include "engine/event/json_fields.hpp"
#include "engine/event/plugins.hpp"
#include "engine/plain/trace.hpp"

#include <optional>

namespace picket::engine {

namespace {

/// A text to search in, with the byte in front of it (decoders.md 3.8).
struct piece {
  std::string_view text;
  char byte_before = '\0';

  /// What remains behind a match (2.3.5).
  piece after(std::int64_t r) const {
    auto rest = text_after(text, r, byte_before);
    auto skipped = static_cast<std::size_t>(rest.data() - text.data());
    return {rest, skipped == 0 ? byte_before : text[skipped - 1]};
  }
};

/// The walk of decoders.md 4.4.
class walk {
public:
  walk(event& ev, match_scratch& scratch, arena& memory, const decode_limits& limits,
       decode_counters* counters, trace* listener)
      : ev_(ev)
      , scratch_(scratch)
      , memory_(memory)
      , limits_(limits)
      , counters_(counters)
      , listener_(listener)
      , log_{ev.log, ev.byte_before_log} {}

  void run(const decoder_tree& decoders) {
    // 1: an event with a program name never sees decoders without one, and the other way round.
    for (const auto& entry : ev_.program_name ? decoders.with_program : decoders.without_program) {
      if (!fits(*entry.self)) continue;
      become(*entry.self);
      if (entry.children.empty()) {
        prematch_rest_ = parent_rest_;
        chain(entry.children, 0, entry.self); // 3
      } else {
        children(entry.children); // 4
      }
      return;
    }
  }

private:
  void tell(const decoder& of, decoder_part part, std::string_view searched, bool held) {
    if (listener_) listener_->decoder_tried(of, part, searched, held);
  }

  bool search(const decoder& of, decoder_part part, const std::optional<pattern>& what, const piece& in,
              piece& rest) {
    auto found = what->search(in.text, scratch_);
    tell(of, part, in.text, found.matched);
    if (found.matched) rest = in.after(found.r);
    return found.matched;
  }

  /// 2: a first-level decoder.
  bool fits(const decoder& first) {
    parent_rest_ = log_;
    piece unused;
    if (first.program_name && ev_.program_name
        && !search(first, decoder_part::program_name, first.program_name, {*ev_.program_name, ' '}, unused))
      return false;
    return !first.prematch || search(first, decoder_part::prematch, first.prematch, log_, parent_rest_);
  }

  void become(const decoder& matched) {
    ev_.decoder = &matched;
    ev_.type = matched.type;
  }

  /// 4.
  void children(const std::vector<const decoder*>& siblings) {
    for (std::size_t i = 0; i < siblings.size(); ++i) {
      const decoder& child = *siblings[i];
      if (!child.prematch) {
        tell(child, decoder_part::unconditional, parent_rest_.text, true);
        prematch_rest_ = parent_rest_;
        chain(siblings, i, siblings[i]);
        return;
      }
      const piece& in = child.prematch_offset == offset_kind::after_parent ? parent_rest_ : log_;
      if (search(child, decoder_part::prematch, child.prematch, in, prematch_rest_)) {
        become(child);
        chain(siblings, i, siblings[i]);
        return;
      }
      while (siblings[i]->more && i + 1 < siblings.size())
        ++i;
    }
  }

  /// 5: from `first`, which stands at `position` of its siblings.
  void chain(const std::vector<const decoder*>& siblings, std::size_t position, const decoder* first) {
    regex_rest_ = prematch_rest_;
    const decoder* link = first;
    while (run_link(*link) && link->more && ++position < siblings.size())
      link = siblings[position];
  }

  /// False: decoding ends here.
  bool run_link(const decoder& link) {
    if (link.plugin != plugin_kind::none) {
      run_plugin(link);
      return true;
    }
    if (!link.regex) return false;
    piece rest;
    if (!search(link, decoder_part::regex, link.regex, text_for(link.regex_offset), rest)) return link.more;
    regex_rest_ = rest;
    if (ev_.dynamics.size() >= limits_.dynamic_fields) {
      drop_fields(1);
      return false;
    }
    store(link);
    return true;
  }

  const piece& text_for(offset_kind offset) const {
    switch (offset) {
    case offset_kind::after_parent:
      return parent_rest_;
    case offset_kind::after_prematch:
      return prematch_rest_;
    case offset_kind::after_regex:
      return regex_rest_;
    case offset_kind::none:
      break;
    }
    return log_;
  }

  /// 4.5.
  void store(const decoder& link) {
    for (std::size_t k = 0; k < scratch_.captures.size() && k < link.order.size(); ++k) {
      const auto& to = link.order[k];
      if (to.field)
        ev_.set(*to.field, scratch_.captures[k]);
      else if (ev_.dynamics.size() < limits_.dynamic_fields)
        ev_.dynamics.push_back({to.name, scratch_.captures[k]});
      else
        drop_fields(1);
    }
  }

  void run_plugin(const decoder& link) {
    tell(link, decoder_part::plugin, ev_.log, true);
    switch (link.plugin) {
    case plugin_kind::json:
      return run_json();
    case plugin_kind::pf:
      return decode_pf(ev_);
    case plugin_kind::symantec_ws:
      return decode_symantec_ws(ev_);
    case plugin_kind::sonicwall:
      return decode_sonicwall(ev_, scratch_, memory_);
    case plugin_kind::ossec_alert: // off: an ordinary event
    case plugin_kind::none:
      return;
    }
  }

  /// 4.6. Offset and options are those of the matched decoder, which need not be the link that asks for JSON.
  void run_json() {
    const decoder& matched = *ev_.decoder;
    if (matched.plugin_offset == offset_kind::after_regex) return;
    // A first-level decoder's own prematch is what its children call the parent's.
    bool behind_prematch = matched.plugin_offset == offset_kind::after_prematch;
    const piece& in = behind_prematch && !matched.is_child ? parent_rest_ : text_for(matched.plugin_offset);
    auto done = decode_json(ev_, in.text,
                            {matched.json_null_discard, matched.json_array_csv, limits_.dynamic_fields,
                             limits_.computed_text_bytes},
                            memory_);
    drop_fields(done.fields_dropped);
    if (counters_) counters_->texts_dropped += done.texts_dropped;
  }

  void drop_fields(std::uint64_t count) {
    if (counters_) counters_->fields_dropped += count;
  }

  event& ev_;
  match_scratch& scratch_;
  arena& memory_;
  const decode_limits& limits_;
  decode_counters* counters_;
  trace* listener_;

  const piece log_;
  piece parent_rest_;   ///< behind the first-level decoder's prematch
  piece prematch_rest_; ///< behind the chain's prematch
  piece regex_rest_;    ///< behind the last regex of the chain that matched
};

} // namespace

void decode(event& ev, const decoder_tree& decoders, match_scratch& scratch, arena& memory,
            const decode_limits& limits, decode_counters* counters, trace* listener) {
  walk(ev, scratch, memory, limits, counters, listener).run(decoders);
}

} // namespace picket::engine
