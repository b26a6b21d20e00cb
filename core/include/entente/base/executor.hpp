// Where work that can be cut into independent units is run. core knows no threads: whoever has some hands in an
// Executor; without one, everything runs on the caller's thread.
//
//   executor.run(panels, [&](std::size_t unit, unsigned lane) { multiply(panel[unit], scratch[lane]); });
//
// Units write disjoint outputs and never share a reduction, so that results do not depend on width(), on which lane
// ran a unit, or in which order.
#pragma once

#include <cstddef>
#include <type_traits>

namespace entente {

// Borrows a callable for the duration of a call; copies nothing, allocates nothing.
template <class Signature>
class FunctionRef;

template <class R, class... Arguments>
class FunctionRef<R(Arguments...)> {
public:
    template <class F, class = std::enable_if_t<!std::is_same_v<std::remove_cvref_t<F>, FunctionRef>>>
    FunctionRef(F&& f) noexcept  // NOLINT(google-explicit-constructor): call sites pass lambdas
        : object_(const_cast<void*>(static_cast<const void*>(&f))), call_([](void* object, Arguments... arguments) -> R {
              return (*static_cast<std::remove_reference_t<F>*>(object))(static_cast<Arguments>(arguments)...);
          }) {}

    R operator()(Arguments... arguments) const { return call_(object_, static_cast<Arguments>(arguments)...); }

private:
    void* object_;
    R (*call_)(void*, Arguments...);
};

class Executor {
public:
    using Work = FunctionRef<void(std::size_t unit, unsigned lane)>;

    virtual ~Executor() = default;

    // How many units may run at the same time; lanes are numbered below it. >= 1, constant.
    [[nodiscard]] virtual unsigned width() const noexcept = 0;

    // Calls work once for each unit in [0, units), in any order and on any thread, no two at the same time with the
    // same lane, and returns when all are done. `work` must not throw and must not call run(). One caller at a time.
    virtual void run(std::size_t units, Work work) = 0;
};

// Runs everything on the calling thread, in ascending order, lane 0. Stateless: may be shared.
Executor& inline_executor() noexcept;

}  // namespace entente
