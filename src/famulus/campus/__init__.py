"""Campus: where people belong. Organizations, courses, lessons, enrolments; the only place rights are decided."""
