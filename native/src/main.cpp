#include "cli/command_line.hpp"

int main(int argc, char** argv) { return entente::native::command_line({argv + 1, argv + argc}); }
