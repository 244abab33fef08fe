; While a hash is iterated over it gains no entry. It may lose entries, and change values.
(define table {:a 1 :b 2 :c 3})
(hash-each table (lambda (key value) (hash-set! table key (* 10 value))))
(assert-equal {:a 10 :b 20 :c 30} table)
(assert-error 'iteration-error (hash-each table (lambda (key value) (hash-set! table value key))))
(hash-each table (lambda (key value) (hash-remove! table :b)))
(assert-equal {:a 10 :c 30} table)

; Iterations nest. The outermost one ends them, also by an error; then the hash may grow.
(hash-each table
           (lambda (key value)
             (hash-each table (lambda (key value) nil))
             (assert-error 'iteration-error (hash-set! table :new 1))))
(assert-error 'mine (hash-each table (lambda (key value) (raise 'mine "stop"))))
(hash-set! table :new 1)
(assert-equal '(:a :c :new) (hash-keys table))

; An iteration closes the holes that removals left. That is a change of representation, no write:
; the hash stays auto-shareable.
(take (ractor nil))
(define marked {:a 1 :b 2 :c 3})
(hash-remove! marked :a)
(defconst HOLES marked)
(assert-equal 'A (state HOLES))
(assert-equal '(:b :c) (hash-keys HOLES))
(assert-equal 'A (state HOLES))
(assert-equal '(:b :c) (take (ractor (hash-keys HOLES))))
(assert-equal 'C (state HOLES))

; Once shared it keeps its holes, and every ractor may iterate.
(define with-hole {:a 1 :b 2})
(hash-remove! with-hole :a)
(make-shareable with-hole)
(assert-equal '(:b) (hash-keys with-hole))
