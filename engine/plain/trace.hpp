#pragma once

#include <string_view>

namespace picket::engine {

struct decoder;

/// What of a decoder was tried.
enum class decoder_part { program_name, prematch, unconditional, regex, plugin };

/// Listens to the plain evaluator, for `--explain`. Called in the order of the walk; must not keep the views.
class trace {
public:
  virtual ~trace() = default;

  /// `searched` is the text that the part was tried on; `held`: it matched (for plugins: always).
  virtual void decoder_tried(const decoder& tried, decoder_part part, std::string_view searched,
                             bool held) = 0;
};

} // namespace picket::engine
