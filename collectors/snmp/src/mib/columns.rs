//! How a MIB file declares the columns it reads.

/// Declares the columns of a table below its entry, and for each a constant with its place among them.
macro_rules! columns {
    ($table:ident: $entry:tt { $($place:ident = $column:literal $name:literal),+ $(,)? }) => {
        pub(crate) const $table: [$crate::walk::Column; [$($column),+].len()] = [
            $($crate::walk::Column { name: $name, oid: $crate::mib::columns::below!($entry, $column) }),+
        ];
        $crate::mib::columns::places!(0; $($place),+);
    };
}

/// The arcs of a column below its entry.
macro_rules! below {
    ([$($entry:literal),+], $column:literal) => { &[$($entry),+, $column] };
}

/// Declares constants that count up.
macro_rules! places {
    ($number:expr; $place:ident $(, $rest:ident)*) => {
        const $place: usize = $number;
        $crate::mib::columns::places!($number + 1; $($rest),*);
    };
    ($number:expr;) => {};
}

pub(crate) use {below, columns, places};
