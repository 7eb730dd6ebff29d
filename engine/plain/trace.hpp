#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace picket::engine {

struct condition;
struct decoder;
struct rule;

/// What of a decoder was tried.
enum class decoder_part { program_name, prematch, unconditional, regex, plugin };

/// What a look-back did with one entry of its list (rules.md 4.3).
enum class look_back_step { too_old, not_comparable, spent, counted, completed };

/// Listens to the plain evaluator, for `--explain`. Called in the order of the walk; must not keep the views.
class trace {
public:
  virtual ~trace() = default;

  /// `searched` is the text that the part was tried on; `held`: it matched (for plugins: always).
  virtual void decoder_tried(const decoder& tried, decoder_part part, std::string_view searched,
                             bool held) = 0;

  /// A rule is reached, `depth` levels below the roots.
  virtual void rule_reached(const rule&, unsigned /*depth*/) {}
  /// One condition; `value` is what it was tested on, if the event has it.
  virtual void condition_tested(const rule&, const condition&, std::optional<std::string_view> /*value*/,
                                bool /*held*/) {}
  /// One entry of the list that a composite reads, newest first.
  virtual void entry_examined(const rule&, look_back_step, std::string_view /*full_log*/,
                              std::int64_t /*age_s*/, std::int32_t /*mark*/) {}
  /// All conditions of the rule were tested.
  virtual void rule_tested(const rule&, bool /*held*/) {}
};

} // namespace picket::engine
